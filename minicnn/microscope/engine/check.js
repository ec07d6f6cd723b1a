// The page compares what it computed with what minicnn found: a list of what differs, in words.

const ALIKE = 1e-9;

function differences(now, reference) {
  const found = [];
  const compare = (name, array, [total, placed, absolute]) => {
    const mine = sum(array.map((value, i) => value * (i * 7919 % 101 / 101)));
    const off = Math.max(Math.abs(sum(array) - total), Math.abs(mine - placed));
    if (!(off <= ALIKE * absolute + 1e-12))
      found.push(`${name}: sum off by ${off.toExponential(1)}`);
  };
  if (!(Math.abs(now.loss - reference.loss) <= ALIKE * (1 + Math.abs(reference.loss))))
    found.push(`loss ${now.loss}, minicnn found ${reference.loss}`);
  decoded(reference.logits).forEach((logit, i, {length}) => {
    const each = length / now.network.count, output = now.values.at(-1);
    const mine = output[Math.floor(i / each)][i % each];
    if (!(Math.abs(mine - logit) <= ALIKE * (1 + Math.abs(logit)))) found.push(`logit ${i}`);
  });
  now.values.forEach((batch, k) =>
    compare(`values ${k}`, batch.flatMap(sample => [...sample]), reference.values[k]));
  now.slopes.forEach((batch, k) =>
    compare(`gradients ${k}`, batch.flatMap(sample => [...sample]), reference.gradients[k]));
  for (const [name, expected] of Object.entries(reference.params)) {
    const [k, array] = name.split(".");
    compare(`gradient of ${name}`, now.grads[k][array], expected);
  }
  return found;
}

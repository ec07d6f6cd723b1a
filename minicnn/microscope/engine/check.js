// The page compares what it computed with what minicnn found, forward and then back from the loss.

const ALIKE = 1e-9, MEASURED_ALIKE = 1e-6;

// What differs, the first first: {text, spot, at}, in words, where to look, and whose it is.
function differences(now, {loss, logits, values, gradients, back, params}) {
  const {network} = now, {layers, readers} = network, found = [], first = {n: 0, i: 0};
  const alike = likeness(network);
  // from: the layers whose dy it is made of. What cancels to 0 has the rounding of what it was.
  const compare = (batch, sums, text, spot, at, from = []) => {
    const made = sum(from.map(layer => (gradients[layer.at + 1] || [0, 0, 0])[2]));
    const off = sums ? distance(batch, sums, alike, made) : Infinity;
    if (off !== 0) found.push({at, spot: {...first, ...spot}, text: sums
      ? `${text} (its sum is off by ${off.toExponential(1)})` : `${text}: none came there`});
  };
  const named = layer => `${layer.name} ${layer.class}`;
  now.values.forEach((batch, k) => compare(batch, values[k],
    k ? `y, which ${named(layers[k - 1])} makes` : "the images", {what: "value", k}, k - 1));
  const last = {what: "value", k: layers.length};
  decoded(logits).forEach((logit, i, {length}) => {
    const each = length / network.count, n = Math.floor(i / each);
    if (!(Math.abs(now.values.at(-1)[n][i % each] - logit) <= ALIKE * (1 + Math.abs(logit))))
      found.push({text: `logit ${i}`, spot: {...last, n, i: i % each}});
  });
  if (!(Math.abs(now.loss - loss) <= ALIKE * (1 + Math.abs(loss))))
    found.push({text: `the loss ${now.loss}, minicnn found ${loss}`, spot: {...first, ...last}});
  for (let k = layers.length; k >= 0; k--) {
    // Of those that get an array the inner stand before the outer.
    for (const layer of layers.filter(({enters}) => enters === k))
      compare(handedBack(now, layer), back[layer.at],
              `dx, which ${named(layer)} hands back`,
              {what: "slope", k, ...furthest(now, layer)}, layer.at, [layer]);
    const text = k ? `dy, which comes to ${named(layers[k - 1])}` : "the gradient of the images";
    compare(now.slopes[k], gradients[k], text, {what: "slope", k}, undefined, readers[k]);
    if (k) for (const [name, slope] of Object.entries(now.grads[k - 1])) {
      const full = `${layers[k - 1].name}.${name}`;
      if (params[full])
        compare([slope], params[full], `the gradient of ${full}`, {what: "grad", k: k - 1, name},
                k - 1, [layers[k - 1]]);
    }
  }
  return found;
}

// Slopes that were measured have ten digits, and what follows from them.
function likeness({layers}) {
  return layers.some(({kind}) => kind === "Measured") ? MEASURED_ALIKE : ALIKE;
}

// How far the sums of a batch are off, 0 where that is rounding.
function distance(batch, [total, placed, absolute], alike, made) {
  const flat = batch.flatMap(sample => [...sample]);
  const mine = sum(flat.map((value, i) => value * (i * 7919 % 101 / 101)));
  const off = Math.max(Math.abs(sum(flat) - total), Math.abs(mine - placed));
  return off <= alike * (absolute + made) + 1e-3 * alike ? 0 : off;
}

// What a layer hands back to the array that it gets; of one that is made of layers, what these do.
function handedBack(now, {name, enters, at}) {
  if (now.backs[at]) return now.backs[at];
  const {network} = now, total = now.backs[at] = zeros(now.values[enters]);
  const inside = network.layers.filter(layer =>
    layer.name === name || layer.name.startsWith(`${name}.`));
  for (const layer of inside)
    now.handed[layer.at].forEach((sample, n) => parts(network, layer, sample).forEach((part, j) => {
      if (layer.reads[j] === enters) part.forEach((slope, i) => { total[n][i] += slope; });
    }));
  return total;
}

// Where what a user's own layer said differs most.
function furthest(now, layer) {
  const said = now.said[layer.at], place = {n: 0, i: 0};
  let most = 0;
  if (said) handedBack(now, layer).forEach((sample, n) => sample.forEach((slope, i) => {
    const off = Math.abs(slope - said[n][i]);
    if (off > most) {
      most = off;
      Object.assign(place, {n, i});
    }
  }));
  return place;
}

// The layers of a user's own that hand something back to a slope: {layer, said, off}, what their
// backward said, and whether that is something else than what the page found.
function sayings(now, {what, k, n, i}) {
  if (what !== "slope") return [];
  return now.network.layers.filter(layer => layer.enters === k && now.said[layer.at])
    .map(layer => {
      const said = now.said[layer.at][n][i], right = handedBack(now, layer)[n][i];
      const slack = likeness(now.network) * (1e-3 + Math.abs(right));
      return {layer, said, off: !(Math.abs(said - right) <= slack)};
    });
}

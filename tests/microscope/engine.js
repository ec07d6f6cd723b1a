// Reads {data, mistake} and prints what the page would compute for each step, for Python to compare.

const {data, mistake} = JSON.parse(require("fs").readFileSync(0));
const network = prepared(data);
const made = mistake ? mistakes(network).find(({name}) => name === mistake) : undefined;
const plain = batch => batch.map(sample => [...sample]);
const answer = network.steps.map((step, s) => {
  const now = run(network, s, made);
  return {
    loss: now.loss,
    values: now.values.map(plain),
    slopes: now.slopes.map(plain),
    grads: now.grads.map(grads =>
      Object.fromEntries(Object.entries(grads).map(([name, array]) => [name, [...array]]))),
    differences: differences(now, step.reference),
    readings: readings(now),
  };
});
console.log(JSON.stringify(answer));

// Of every number: the sum that the page shows, and the number itself.
function readings(now) {
  return everySpot(now).filter(spot => spot.what !== "param").map(spot => {
    const {terms, total} = madeBy(now, spot);
    return [`${spot.what} ${spot.k} ${spot.name || ""} ${spot.n} ${spot.i}`,
            sum(terms.filter(term => !term.lost).map(term => term.product)), total];
  });
}

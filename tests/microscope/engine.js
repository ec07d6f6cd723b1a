// Reads a line of {data, mistake, nudged} at a time, and prints what the page would compute for each
// step, for Python to compare.

const PIXEL = 14;
const plain = batch => batch.map(sample => [...sample]);
require("readline").createInterface({input: process.stdin}).on("line", line =>
  console.log(JSON.stringify(answers(JSON.parse(line)))));

function answers({data, mistake, nudged}) {
  const network = prepared(data);
  const made = mistake ? mistakes(network).find(({name}) => name === mistake) : undefined;
  return network.steps.map((step, s) => answer(run(network, s, made), step, nudged));
}

function answer(now, step, nudged) {
  return {
    loss: now.loss,
    values: now.values.map(plain),
    slopes: now.slopes.map(plain),
    grads: now.grads.map(grads =>
      Object.fromEntries(Object.entries(grads).map(([name, array]) => [name, [...array]]))),
    params: now.params.map(params =>
      Object.fromEntries(Object.entries(params).map(([name, array]) => [name, [...array]]))),
    differences: differences(now, step.reference),
    readings: readings(now),
    updates: updates(now),
    verdicts: verdicts(now, nudged),
    [`cone of pixel ${PIXEL}`]: coneOf(now),
  };
}

// Of every number: the sum that the page shows, and the number itself.
function readings(now) {
  return everySpot(now).filter(spot => spot.what !== "param").map(spot => {
    const {terms, total} = madeBy(now, spot);
    return [`${spot.what} ${spot.k} ${spot.name || ""} ${spot.n} ${spot.i}`,
            sum(terms.filter(term => !term.lost).map(term => term.product)), total];
  });
}

// Every learned number after the optimiser's step.
function updates(now) {
  return everySpot(now).filter(spot => spot.what === "param").map(spot => madeBy(now, spot).fresh);
}

// What nudging says of the first image's numbers and of all weights, or of so many among them.
function verdicts(now, most) {
  const spots = everySpot(now)
    .filter(({what, n}) => n === 0 && (what === "value" || what === "param"));
  const apart = most ? Math.ceil(spots.length / most) : 1;
  return spots.filter((_, j) => j % apart === 0).map(spot => nudge(now, spot, 0.1).verdict);
}

function coneOf(now) {
  if (now.values[0][0].length <= PIXEL) return {};
  const masks = cone(now, {what: "value", k: 0, n: 0, i: PIXEL}, true);
  return Object.fromEntries(Object.entries(masks).map(([k, mask]) => [k, [...mask]]));
}

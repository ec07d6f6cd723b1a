// What is looked at. One object; whoever changes it calls `show`.

const state = {
  network: null, step: 0, image: 0,
  layer: 0,            // the layer in the middle; their number stands for the loss
  view: "forward",
  spot: null,          // the number pointed at
  pinned: false,       // then the mouse does not move it
  mistake: "",         // the key of the mistake that is switched on
  predict: false, guessed: new Set(), guess: "",
  cones: "",           // "made", "affects" or nothing
  h: 0.1, nudging: false,
  channels: {},        // the plane that is shown of each array
  all: {},             // lists that are shown whole
  runs: new Map(),
};

// The run of the shown step, with the mistake that is switched on or without.
function current(mistake = state.mistake) {
  const key = `${state.step} ${mistake}`;
  if (!state.runs.has(key)) {
    if (state.runs.size > 4) state.runs.delete(state.runs.keys().next().value);
    const made = mistakes(state.network).find(({key}) => key === mistake);
    state.runs.set(key, run(state.network, state.step, made));
  }
  return state.runs.get(key);
}

// What minicnn found otherwise than this page, in the shown step.
function otherwise() {
  const now = current(""), {reference} = state.network.steps[state.step];
  return now.otherwise ??= differences(now, reference);
}

// The arrays in the middle, as spots of their first number: input, kernel, output, and the rest.
function arraysShown() {
  const {layer, view, image: n, network} = state, back = view === "backward";
  const what = back ? "slope" : "value";
  if (layer === network.layers.length) return [{what, k: layer, n, i: 0}];
  const [kernel = [], ...others] = Object.keys(current().grads[layer]).map(name =>
    ({what: back ? "grad" : "param", k: layer, name, n, i: 0}));
  const inputs = [...new Set(network.layers[layer].reads)].map(k => ({what, k, n, i: 0}));
  return [inputs, kernel, {what, k: layer + 1, n, i: 0}, others].flat();
}

// The arrays that layer l reads, and the one that it makes; the loss reads the output.
function around(l) {
  const layer = state.network.layers[l];
  return layer ? [...layer.reads, l + 1] : [l];
}

function keyOf({what, k, name}) {
  return [what, k, name].join(" ");
}

function sameSpot(a, b) {
  return keyOf(a) === keyOf(b) && a.i === b.i &&
    (a.n === b.n || a.what === "param" || a.what === "grad");
}

// Is it hidden until somebody has guessed it? What the layer makes is; what it is made of is not.
function hidden(spot) {
  if (!state.predict || state.guessed.has(`${keyOf(spot)} ${spot.n} ${spot.i} ${state.step}`))
    return false;
  if (spot.what === "value") return spot.k === state.layer + 1;
  return spot.what === "grad" || (spot.what === "slope" && spot.k !== state.layer + 1 &&
    around(state.layer).includes(spot.k));
}

// Point at a number; where the layer in the middle does not show it, go to the one that makes it.
function point(spot, pin = state.pinned) {
  const back = spot.what === "slope" || spot.what === "grad";
  const view = back ? "backward" : "forward";
  const arrays = spot.what === "value" || spot.what === "slope";
  if (!arrays) state.layer = spot.k;
  else if (!around(state.layer).includes(spot.k)) {
    const [reader = {at: spot.k}] = state.network.readers[spot.k];
    state.layer = back || spot.k === 0 ? reader.at : spot.k - 1;
  }
  Object.assign(state, {view, spot, image: spot.n, pinned: pin, guess: ""});
  state.channels[keyOf(spot)] = planeOf(shapeOf(current(), spot), spot.i);
  show();
}

// The same place where another layer, view, step or image is shown.
function look(changes) {
  Object.assign(state, changes, {guess: ""});
  const {what} = state.spot;
  if ("view" in changes && !("layer" in changes)) {  // the same number, or its gradient
    const across = changes.view === "backward" ? {value: "slope", param: "grad"}
                                               : {slope: "value", grad: "param"};
    state.spot = {...state.spot, what: across[what] || what};
  } else if ("layer" in changes) {
    const back = state.view === "backward", seen = around(state.layer);
    const k = back ? seen[0] : seen.at(-1);
    state.spot = {what: back ? "slope" : "value", k, n: state.image, i: 0};
    const plane = state.channels[keyOf(state.spot)] || 0;
    state.spot.i = planes(shapeOf(current(), state.spot))[plane].start;
  }
  state.spot = {...state.spot, n: state.image};
  show();
}

// #layer=0&view=backward&step=1&image=2&index=3, as chapters of a book write it.
function fromAddress() {
  const asked = new URLSearchParams(location.hash.slice(1)), {network} = state;
  const within = (name, most) =>
    Math.max(0, Math.min(most, Math.floor(Number(asked.get(name)) || 0)));
  const named = mistakes(network).map(({key}) => key);
  if (named.includes(asked.get("mistake"))) state.mistake = asked.get("mistake");
  if (asked.has("step")) state.step = within("step", network.steps.length - 1);
  if (asked.has("image")) state.image = within("image", network.count - 1);
  look({layer: within("layer", network.layers.length),
        view: asked.get("view") === "backward" ? "backward" : "forward"});
  const array = Number(asked.get("array") ?? NaN), shown = arraysShown();
  if (shown[array]) {
    const count = size(shapeOf(current(), shown[array]));
    point({...shown[array], i: within("index", count - 1)}, true);
  }
}

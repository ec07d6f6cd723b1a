// The page: made once, drawn anew whenever something else is looked at.

// The arrays in the middle stay while the layer and the view stay: one of them keeps the focus.
function arrangeArrays() {
  const section = document.getElementById("arrays"), spots = arraysShown();
  const wanted = spots.map(keyOf).join(", ");
  if (section.dataset.shown === wanted) return;
  const held = document.activeElement && document.activeElement.dataset.array !== undefined;
  section.dataset.shown = wanted;
  const {layers, loss} = state.network, {text} = layers[state.layer] || loss;
  section.replaceChildren(element("p", {class: "text"}, text),
                          ...spots.map(spot => gridBox(spot, titleOf(spot))));
  if (held) canvasOf(state.spot)?.focus({preventScroll: true});
}

function canvasOf(spot) {
  return document.querySelector(`canvas[data-array="${keyOf(spot)}"]`);
}

function titleOf({what, k, name}) {
  const d = what === "slope" || what === "grad" ? "d" : "", {layers} = state.network;
  const names = {weight: "weight w", bias: "bias b", gamma: "γ", beta: "β"};
  if (name) return d ? `${d}${(names[name] || name).split(" ").at(-1)}` : names[name] || name;
  if (state.layer === layers.length) return d ? "dz, gradient of the output" : "z, the output";
  const layer = layers[state.layer], letter = letterOf(layer, k);
  const role = {x: "the input", y: "the output", s: "the shortcut", f: "the layers"}[letter] ||
    `branch ${layer.reads.indexOf(k)}`;
  return `${d}${letter}, ${d ? "gradient of " : ""}${role}${fromWhere(layer, k)}`;
}

// Where a layer's input comes from, if not from the one before it, and who else reads it.
function fromWhere(layer, k) {
  const {layers, readers} = state.network;
  if (k === layer.at + 1) return "";
  const named = one => `${one.name} ${one.class}`;
  const others = readers[k].filter(one => one !== layer).map(named);
  const from = k === layer.at && layer.reads.length === 1 ? ""
    : k ? `, from ${named(layers[k - 1])}` : ", the image itself";
  return from + (others.length ? `; read by ${others.join(", ")} too` : "");
}

function drawArrays() {
  arrangeArrays();
  const now = current(), right = current(""), {spot} = state;
  const made = hidden(spot) ? [] : madeBy(now, spot).terms.filter(term => !term.lost)
    .flatMap(({factors}) => factors.map(factor => factor.spot).filter(Boolean));
  const affected = affects(now, spot).map(reach => reach.spot), masks = coneMasks();
  const boxes = document.querySelectorAll("#arrays figure");
  // What made a number and what it affects is shown in the planes where it lies.
  arraysShown().forEach((array, j) => {
    const key = keyOf(array), shape = shapeOf(now, array);
    const near = [spot, ...made, ...affected].filter(one => keyOf(one) === key);
    const shown = state.channels[key] || 0;
    if (near.length && !near.some(one => planeOf(shape, one.i) === shown))
      state.channels[key] = planeOf(shape, near[0].i);
    const wrong = array.what === "slope" || array.what === "grad"
      ? Array.from({length: size(shape)}, (_, i) => ({...array, i})).map(one =>
          differs(valueOf(now, one), valueOf(right, one)) ||
          sayings(right, one).some(({off}) => off)) : null;
    drawGrid(boxes[j], array, {made: made.filter(one => one.n === state.image), affected,
                               cone: masks[key], wrong});
  });
}

function show() {
  keepFocus(redraw);
}

function redraw() {
  if (state.spot && state.spot.n !== state.image) state.spot = {...state.spot, n: state.image};
  drawArrays();
  drawLayers();
  drawReading();
  drawTimeline();
  drawSwitches();
  drawCheck();
  say();
}

// A redraw replaces buttons: the one that was pressed keeps the focus.
function keepFocus(draw) {
  const held = document.activeElement, area = held && held.closest("nav, section, footer, header");
  const at = area && held.tagName !== "CANVAS"
    ? [...area.querySelectorAll("button, input, select, summary")].indexOf(held) : -1;
  draw();
  if (at >= 0 && !held.isConnected)
    area.querySelectorAll("button, input, select, summary")[at]?.focus({preventScroll: true});
}

state.network = prepared(JSON.parse(document.getElementById("data").textContent));
state.spot = arraysShown()[0];
fromAddress();
addEventListener("hashchange", fromAddress);
addEventListener("keydown", pressed);
addEventListener("resize", show);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);

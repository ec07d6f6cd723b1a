// All arrays of the step on the left: values going down, gradients beside them coming up.

function drawLayers() {
  const now = current(), right = current(""), {layers} = state.network;
  const rows = [element("div", {class: "heads"}, element("span", {}, "values"),
                        element("span", {}, "gradients"))];
  const cones = coneMasks(), [first = {}] = otherwise();
  for (let k = 0; k <= layers.length; k++) {
    const value = {what: "value", k, n: state.image, i: 0};
    rows.push(element("div", {class: "pair"}, thumbnail(now, value, cones), thumbnail(now,
      {...value, what: "slope"}, cones)));
    const layer = layers[k], off = departs(now, right, k);
    rows.push(element("button", {
      type: "button", class: "layer", "aria-pressed": String(state.layer === k),
      onclick: () => look({layer: k}),
    }, layer ? `${layer.name} ${layer.class}` : `loss ${shown(now.loss).slice(1)}`,
    element("small", {}, layer
      ? ` ${cameFrom(layer)}→\u00a0${layer.output.join("\u00a0×\u00a0")}` : ""),
    off ? element("b", {class: "off"}, " ✗ departs") : undefined,
    first.at === k ? element("b", {class: "off"}, " ✗ differs") : undefined));
  }
  document.getElementById("layers").replaceChildren(...rows);
}

// Which layers it reads, where that is not what stands above it.
function cameFrom({at: k, reads}) {
  if (reads.length === 1 && reads[0] === k) return "";
  const {layers} = state.network;
  return `← ${reads.map(one => (one ? layers[one - 1].name : "image")).join(", ")} `;
}

// Does layer k hand on, or learn, other gradients than it should, because of the mistake?
function departs(now, right, k) {
  if (now === right) return false;
  if (k < now.grads.length && Object.keys(now.grads[k]).some(name =>
    now.grads[k][name].some((slope, i) => differs(slope, right.grads[k][name][i])))) return true;
  const of = found => found.handed[k] || found.slopes[k];
  return of(now).some((sample, n) => sample.some((slope, i) => differs(slope, of(right)[n][i])));
}

function differs(a, b) {
  return Math.abs(a - b) > 1e-9 * (Math.abs(a) + Math.abs(b)) + 1e-15;
}

// A pixel for each number, channels side by side.
function thumbnail(now, spot, cones) {
  const shape = shapeOf(now, spot), all = planes(shape), colours = palette();
  const across = Math.ceil(Math.sqrt(all.length)), {rows, columns} = all[0];
  const down = Math.ceil(all.length / across);
  const width = across * (columns + 1) - 1, height = down * (rows + 1) - 1;
  const canvas = element("canvas", {width, height, role: "img",
    "aria-label": `${spot.what === "value" ? "values" : "gradients"}, ${shape.join(" × ")}`});
  const pen = canvas.getContext("2d"), image = pen.createImageData(width, height);
  const values = (spot.what === "value" ? now.values : now.slopes)[spot.k][spot.n];
  const top = largest(values), mask = cones[keyOf(spot)];
  values.forEach((value, i) => {
    const plane = Math.floor(i / all[0].count), p = i % all[0].count;
    const x = plane % across * (columns + 1) + p % columns;
    const y = Math.floor(plane / across) * (rows + 1) + Math.floor(p / columns);
    const unseen = state.predict && hidden({...spot, i});
    image.data.set([...colour(colours, unseen ? 0 : value, top), mask && !mask[i] ? 40 : 255],
                   4 * (y * width + x));
  });
  pen.putImageData(image, 0, 0);
  const most = 96, scale = Math.max(1, Math.min(8, Math.floor(most / Math.max(width, height))));
  canvas.style.width = `${Math.min(most, width * scale)}px`;
  const [reader = {at: spot.k}] = state.network.readers[spot.k];
  canvas.addEventListener("click", () => look({
    layer: reader.at,
    view: spot.what === "value" ? "forward" : "backward"}));
  return canvas;
}

// The cone that is switched on, by array.
function coneMasks() {
  if (!state.cones) return {};
  const what = {param: "value", grad: "slope"}[state.spot.what] || state.spot.what;
  const masks = cone(current(), state.spot, state.cones === "affects");
  return Object.fromEntries(Object.entries(masks).map(([k, mask]) => [`${what} ${k} `, mask]));
}

// Cones: everything that a number affects, or that made it, in its own image. As a small move sees
// it: a ReLU that is shut, a pixel that did not win and a masked number let nothing through.

// {k: Uint8Array} of the arrays that may be reached, of the spot's own kind. forth: whom it
// affects.
function cone(now, spot, forth) {
  const {layers, shapes} = now.network, {n} = spot, masks = {};
  const param = spot.what === "param" || spot.what === "grad";
  const slopes = spot.what === "slope" || spot.what === "grad";
  if (param && forth === slopes) return masks;  // a gradient is an end, a weight a beginning
  const empty = k => new Uint8Array(size(shapes[k])), start = param ? spot.k + 1 : spot.k;
  masks[start] = empty(start);
  if (!param) masks[start][spot.i] = 1;
  else for (const {spot: {i}} of paramAffects(now, {...spot, what: "param"})) masks[start][i] = 1;
  if (forth !== slopes)  // slopes run down the list of layers
    for (const layer of layers.slice(start)) {
      const seen = layer.reads.flatMap(k => [...(masks[k] || empty(k))]);
      masks[layer.at + 1] = passed(layer, at(now, layer.at), n, seen, true);
    }
  else {
    for (let k = 0; k < start; k++) masks[k] = empty(k);
    for (const layer of layers.slice(0, start).reverse()) {
      const found = passed(layer, at(now, layer.at), n, masks[layer.at + 1], false);
      parts(now.network, layer, found).forEach((part, j) =>
        part.forEach((on, i) => { if (on) masks[layer.reads[j]][i] = 1; }));
    }
  }
  return masks;
}

function passed(layer, now, n, mask, up) {
  const {wires} = layer, result = new Uint8Array(size(up ? layer.output : layer.input));
  const {together} = KINDS[layer.kind];
  if (together) {  // μ and σ tie a set of numbers together
    const touched = new Set();
    mask.forEach((on, i) => { if (on) touched.add(together(layer, n, i)); });
    return result.map((_, i) => touched.has(together(layer, n, i)));
  }
  const factors = KINDS[layer.kind].factors(layer, now, n, wires);
  const [from, to] = up ? [wires.x, wires.y] : [wires.y, wires.x];
  factors.forEach((c, wire) => { if (c && mask[from[wire]]) result[to[wire]] = 1; });
  return result;
}

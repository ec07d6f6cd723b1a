// Cones: everything that a number affects, or that made it, in its own image. As a small move sees
// it: a ReLU that is shut, a pixel that did not win and a masked number let nothing through.

// {k: Uint8Array} of the arrays reached, of the spot's own kind. forth: whom it affects.
function cone(now, spot, forth) {
  const {layers} = now.network, {n} = spot, masks = {};
  const param = spot.what === "param" || spot.what === "grad";
  const slopes = spot.what === "slope" || spot.what === "grad";
  let k = spot.k;
  if (param) {
    if (forth === slopes) return masks;  // a gradient is an end, a weight a beginning
    k = spot.k + 1;
    masks[k] = new Uint8Array(size(now.network.shapes[k]));
    for (const reach of paramAffects(now, {...spot, what: "param"})) masks[k][reach.spot.i] = 1;
  } else {
    masks[k] = new Uint8Array(size(now.network.shapes[k]));
    masks[k][spot.i] = 1;
  }
  const up = forth !== slopes;  // slopes run down the list of layers
  for (; up ? k < layers.length : k > 0; k += up ? 1 : -1) {
    const l = up ? k : k - 1;
    masks[up ? k + 1 : k - 1] = passed(layers[l], at(now, l), n, masks[k], up);
  }
  return masks;
}

function passed(layer, now, n, mask, up) {
  const {wires} = layer, result = new Uint8Array(size(up ? layer.output : layer.input));
  if (layer.kind === "BatchNorm") {  // μ and σ tie a channel together
    const touched = new Set();
    mask.forEach((on, i) => { if (on) touched.add(channel(i, layer.input)); });
    return result.map((_, i) => touched.has(channel(i, layer.input)));
  }
  const factors = KINDS[layer.kind].factors(layer, now, n, wires);
  const [from, to] = up ? [wires.x, wires.y] : [wires.y, wires.x];
  factors.forEach((c, wire) => { if (c && mask[from[wire]]) result[to[wire]] = 1; });
  return result;
}

// Whom a number affects: the numbers that it goes into, one layer on: [{spot, label, by}], by: the
// wire's factor. A value goes into the layers that read it, a slope back through the one that made
// its array.

function affects(now, spot) {
  const {what, k} = spot, {layers, readers} = now.network;
  if (what === "grad") return [{spot: {...spot, what: "param"}, label: "its own update", by: 1}];
  if (what === "param") return paramAffects(now, spot);
  if (what === "value") return readers[k].flatMap(layer => affectsThrough(now, layer, spot));
  return k > 0 ? affectsBack(now, layers[k - 1], spot) : [];
}

// A shut ReLU, a lost window, a mask: nothing passes. A weight of 0 may still be moved.
function passing(now, layer, factors, wires) {
  return wires.filter(wire => weightOf(now, layer.at) || factors[wire]);
}

function affectsThrough(now, layer, {k, n, i}) {
  const {at: l, wires} = layer, factors = KINDS[layer.kind].factors(layer, at(now, l), n, wires);
  return places(now.network, layer, k, i).flatMap(x =>
    passing(now, layer, factors, along(wires.x, x)).map(wire =>
      reached(now, {what: "value", k: l + 1, n, i: wires.y[wire]}, l, factors[wire],
              ofWhich(now, layer, k))));
}

function affectsBack(now, layer, {n, i}) {
  const {at: l, wires} = layer, seen = at(now, l);
  const factors = KINDS[layer.kind].factors(layer, seen, n, wires);
  const through = passing(now, layer, factors, along(wires.y, i));
  const found = through.map(wire =>
    reached(now, {what: "slope", n, ...source(now.network, layer, wires.x[wire])}, l,
            factors[wire]));
  if (weightOf(now, l))
    for (const wire of through)
      found.push(reached(now, {what: "grad", k: l, name: "weight", n, i: wires.w[wire]}, l,
                         seen.x[n][wires.x[wire]]));
  if (layer.kind === "Measured") return found;
  const added = {bias: () => 1, beta: () => 1, gamma: () => normalized(layer, seen, n, i)};
  for (const name of Object.keys(added).filter(one => now.params[l][one]))
    found.push(reached(now, {what: "grad", k: l, name, n, i: channel(i, layer.output)}, l,
                       added[name]()));
  return found;
}

function paramAffects(now, {k, name, n, i}) {
  const layer = now.network.layers[k];
  if (layer.kind === "Measured") return [];
  const out = (y, by) => reached(now, {what: "value", k: k + 1, n, i: y}, k, by);
  if (name === "weight")
    return along(layer.wires.w, i).map(wire =>
      out(layer.wires.y[wire], now.inputs[k][n][layer.wires.x[wire]]));
  if (name === "gamma")
    return ofChannel(layer, i).map(y => out(y, normalized(layer, at(now, k), n, y)));
  return name === "bias" || name === "beta" ? ofChannel(layer, i).map(y => out(y, 1)) : [];
}

function reached(now, spot, from, by, which = "") {
  return {spot, label: label(now, spot, from) + which, by};
}

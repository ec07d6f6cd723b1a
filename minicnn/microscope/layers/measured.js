// A layer that only Python knows. Its local slopes were measured there, and stored: the factors of
// its wires. So near the stored x it is y = Σ slope · x + rest, and further away this page does not
// know it.

KINDS.Measured = {
  wires(layer, add) {
    const [y, x] = [layer.ends.y, layer.ends.x].map(decoded);
    y.forEach((end, wire) => add(end, x[wire], 0));
  },
  factors: (layer, now, n) => now.kept.slopes[n],
  shift: (layer, now, y, n) => now.kept.rest[n][y],
  // What is learned there: of each image the share of the gradient, measured too.
  backward(layer, now, dy) {
    const {dx} = backThroughWires(layer, now, dy, {}), grads = {};
    for (const name of Object.keys(layer.arrays)) {
      const shares = now.kept[`share of ${name}`];
      if (shares) grads[name] = shares[0].map((_, i) => sum(shares.map(share => share[i])));
    }
    return {dx, grads};
  },
};

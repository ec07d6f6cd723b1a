// Pooling: a window's largest number, or the mean of its numbers. A wire's w is its tap.

function pooled(layer, add) {
  const {window} = layer;
  for (let c = 0; c < layer.input[0]; c++)
    taps(window, (o, pixel, tap) =>
      add(c * size(window.output) + o, c * size(window.image) + pixel, tap));
}

KINDS.MaxPool2D = {
  wires: pooled,
  // The tap that wins: of equals the first, and padding never.
  keep(layer, x, wires) {
    const winner = x.map(() => new Float64Array(size(layer.output)).fill(-1));
    x.forEach((sample, n) => {
      const best = new Float64Array(size(layer.output)).fill(-Infinity);
      wires.y.forEach((y, wire) => {
        const value = sample[wires.x[wire]];
        if (value > best[y]) {
          best[y] = value;
          winner[n][y] = wires.w[wire];
        }
      });
    });
    return {winner};
  },
  factors(layer, now, n, wires) {
    const winner = now.kept.winner[n];
    return factorsOf(wires, wire => (winner[wires.y[wire]] === wires.w[wire] ? 1 : 0));
  },
};

KINDS.AvgPool2D = {
  wires: pooled,
  factors: (layer, now, n, wires) =>
    factorsOf(wires, wire => 1 / layer.divisor[wires.y[wire] % layer.divisor.length]),
};

KINDS.GlobalAvgPool2D = {
  wires(layer, add) {
    const count = size(layer.input);
    for (let i = 0; i < count; i++) add(channel(i, layer.input), i, 0);
  },
  factors: KINDS.AvgPool2D.factors,
};

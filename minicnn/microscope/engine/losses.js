// The three losses of a batch: value(z, t, divisor), and slope(z, t, divisor) = ∂L/∂z.

const LOSSES = {
  SoftmaxCrossEntropy: {
    value: (z, t, divisor) => -sum(z.map((row, n) => {
      const log = logSoftmax(row);
      return sum(t[n].map((share, c) => (share ? share * log[c] : 0)));
    })) / divisor,
    slope: (z, t, divisor) => z.map((row, n) => {
      const p = softmax(row), mass = sum(t[n]);
      return row.map((_, c) => (p[c] * mass - t[n][c]) / divisor);
    }),
  },
  SigmoidCrossEntropy: {
    value: (z, t, divisor) => sum(z.map((row, n) => sum(row.map((v, c) =>
      Math.max(v, 0) - v * t[n][c] + Math.log1p(Math.exp(-Math.abs(v))))))) / divisor,
    slope: (z, t, divisor) =>
      z.map((row, n) => row.map((v, c) => (sigmoid(v) - t[n][c]) / divisor)),
  },
  MeanSquaredError: {
    value: (z, t, divisor) =>
      sum(z.map((row, n) => sum(row.map((v, c) => (v - t[n][c]) ** 2)))) / divisor,
    slope: (z, t, divisor) =>
      z.map((row, n) => row.map((v, c) => 2 * (v - t[n][c]) / divisor)),
  },
};

// Nothing overflows, for the largest exponent is 0.
function logSoftmax(row) {
  const top = Math.max(...row), total = Math.log(sum(row.map(v => Math.exp(v - top))));
  return row.map(v => v - top - total);
}

function softmax(row) {
  return logSoftmax(row).map(Math.exp);
}

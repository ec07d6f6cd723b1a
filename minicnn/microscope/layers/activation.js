// Activations: y = f(x) of single numbers. The factor of a wire is the slope f′(x).

function activation(curve, slope) {
  return {
    wires: each, curve, slope,
    factors: (layer, now, n) => now.x[n].map((x, i) => slope(x, now.y[n][i], layer)),
  };
}

// e^−|x| ≤ 1 never overflows.
function sigmoid(x) {
  const small = Math.exp(-Math.abs(x));
  return (x >= 0 ? 1 : small) / (1 + small);
}

KINDS.ReLU = activation(x => Math.max(x, 0), (x, y) => (y > 0 ? 1 : 0));
KINDS.LeakyReLU = activation((x, {slope}) => (x > 0 ? x : slope * x),
                             (x, y, {slope}) => (x > 0 ? 1 : slope));
KINDS.Sigmoid = activation(sigmoid, (x, y) => y * (1 - y));
KINDS.Tanh = activation(Math.tanh, (x, y) => 1 - y * y);
KINDS.SiLU = activation(x => x * sigmoid(x),
                        x => sigmoid(x) + x * sigmoid(x) * (1 - sigmoid(x)));
KINDS.ELU = activation((x, {alpha}) => (x > 0 ? x : alpha * Math.expm1(x)),
                       (x, y, {alpha}) => (x > 0 ? 1 : alpha * Math.exp(x)));
KINDS.Softplus = activation(x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
                            x => sigmoid(x));

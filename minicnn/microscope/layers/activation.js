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
KINDS.GELU = activation((x, layer) => x * share(x, layer).below,
                        (x, y, layer) => share(x, layer).below + x * share(x, layer).density);

// Φ(x), how much of a normal distribution lies below x, and its slope; or their approximation.
function share(x, {approximate}) {
  if (approximate === "none")
    return {below: 0.5 + 0.5 * erf(x * Math.SQRT1_2),
            density: Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI)};
  const c = Math.sqrt(2 / Math.PI), t = Math.tanh(c * (x + 0.044715 * x ** 3));
  return {below: (1 + t) / 2, density: (1 - t * t) * c * (1 + 0.134145 * x * x) / 2};
}

// erf x = 2/√π · e^−x² · Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · … · (2n + 1)): nothing cancels.
function erf(x) {
  if (Math.abs(x) > 6) return Math.sign(x);  // to the last bit
  let part = x, total = x;
  for (let n = 1; Math.abs(part) > 1e-17 * Math.abs(total); n++)
    total += part *= 2 * x * x / (2 * n + 1);
  return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * total;
}

// Batch normalisation: y = γ · x̂ + β, x̂ = (x − μ) · r, r = 1 / √(σ² + eps), with μ and σ² of a
// channel over all images and positions. So x reaches L directly, through μ, and through σ.
// And Standardize: the same with numbers that stand still.

KINDS.BatchNorm = {
  wires: each,
  // The direct way.
  factors: (layer, now, n) => now.x[n].map((_, i) => {
    const c = channel(i, layer.input);
    return now.params.gamma[c] * now.kept.r[c];
  }),
  keep(layer, x) {
    const channels = layer.input[0], count = x.length * size(layer.input) / channels;
    const mean = new Float64Array(channels), variance = new Float64Array(channels);
    const over = visit => x.forEach(sample =>
      sample.forEach((value, i) => visit(channel(i, layer.input), value)));
    over((c, value) => { mean[c] += value / count; });
    over((c, value) => { variance[c] += (value - mean[c]) ** 2 / count; });
    return {mean, variance, count, r: variance.map(v => 1 / Math.sqrt(v + layer.eps))};
  },
  forward(layer, {params, kept}, x) {
    return x.map(sample => sample.map((value, i) => {
      const c = channel(i, layer.input);
      return params.gamma[c] * (value - kept.mean[c]) * kept.r[c] + params.beta[c];
    }));
  },
  backward(layer, now, dy) {
    const {gamma, beta} = batchSums(layer, now, dy);
    const dx = dy.map((sample, n) => sample.map((_, i) =>
      sum(threeWays(layer, now, dy, {gamma, beta}, n, i))));
    return {dx, grads: {gamma, beta}};
  },
};

function normalized(layer, {x, kept}, n, i) {
  const c = channel(i, layer.input);
  return (x[n][i] - kept.mean[c]) * kept.r[c];
}

// dγ = Σ dy · x̂ and dβ = Σ dy.
function batchSums(layer, now, dy) {
  const gamma = new Float64Array(layer.input[0]), beta = new Float64Array(layer.input[0]);
  dy.forEach((sample, n) => sample.forEach((slope, i) => {
    const c = channel(i, layer.input);
    gamma[c] += slope * normalized(layer, now, n, i);
    beta[c] += slope;
  }));
  return {gamma, beta};
}

// dx = γ · r · dy  −  γ · r · dβ / M  −  γ · r · x̂ · dγ / M: direct, through μ, through σ.
function threeWays(layer, now, dy, {gamma, beta}, n, i) {
  const c = channel(i, layer.input), scale = now.params.gamma[c] * now.kept.r[c];
  const share = scale / now.kept.count;
  return [scale * dy[n][i], -share * beta[c], -share * normalized(layer, now, n, i) * gamma[c]];
}

KINDS.Standardize = {
  wires: each,
  factors: (layer, now, n) => now.x[n].map((_, i) => 1 / layer.std[channel(i, layer.input)]),
  shift(layer, now, y) {
    const c = channel(y, layer.input);
    return -layer.mean[c] / layer.std[c];
  },
};

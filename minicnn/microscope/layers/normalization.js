// Normalisation: y = γ · x̂ + β, x̂ = (x − μ) · r, r = 1 / √(σ² + eps). Numbers that share μ and σ²
// are a set: in BatchNorm a channel over all images and positions, in GroupNorm a group of
// channels of one image. So x reaches L directly, through μ, and through σ.
// And Standardize: the same with numbers that stand still.

// together(layer, n, i): the number of the set in which x[n][i] is.
function normalization(together) {
  return {
    wires: each, together,
    // The direct way.
    factors: (layer, now, n) => now.x[n].map((_, i) =>
      now.params.gamma[channel(i, layer.input)] * now.kept.r[together(layer, n, i)]),
    keep(layer, x) {
      const counts = sumOf(x, layer, together, () => 1);
      const meanOf = of => sumOf(x, layer, together, of).map((total, set) => total / counts[set]);
      const mean = meanOf(value => value);
      const variance = meanOf((value, n, i) => (value - mean[together(layer, n, i)]) ** 2);
      return {mean, variance, counts, r: variance.map(v => 1 / Math.sqrt(v + layer.eps))};
    },
    forward: (layer, now, x) => x.map((sample, n) => sample.map((_, i) => {
      const c = channel(i, layer.input);
      return now.params.gamma[c] * normalized(layer, now, n, i) + now.params.beta[c];
    })),
    backward(layer, now, dy) {
      const ofChannel = of => sumOf(dy, layer, (_, n, i) => channel(i, layer.input), of);
      const through = setSums(layer, now, dy);
      return {
        dx: dy.map((sample, n) => sample.map((_, i) =>
          sum(threeWays(layer, now, dy, through, n, i)))),
        grads: {gamma: ofChannel((slope, n, i) => slope * normalized(layer, now, n, i)),
                beta: ofChannel(slope => slope)},
      };
    },
  };
}

KINDS.BatchNorm = normalization((layer, n, i) => channel(i, layer.input));
KINDS.GroupNorm = normalization((layer, n, i) => n * layer.num_groups +
  Math.floor(channel(i, layer.input) * layer.num_groups / layer.input[0]));

// Σ of(value, n, i) over each set of a batch's numbers.
function sumOf(batch, layer, together, of) {
  const sums = [];
  batch.forEach((sample, n) => sample.forEach((value, i) => {
    const set = together(layer, n, i);
    sums[set] = (sums[set] || 0) + of(value, n, i);
  }));
  return Float64Array.from(sums);
}

function normalized(layer, {x, kept}, n, i) {
  const set = KINDS[layer.kind].together(layer, n, i);
  return (x[n][i] - kept.mean[set]) * kept.r[set];
}

// Of each set Σ dx̂ and Σ dx̂ · x̂, where dx̂ = γ · dy.
function setSums(layer, now, dy) {
  const {together} = KINDS[layer.kind], {gamma} = now.params;
  const weighed = (slope, i) => gamma[channel(i, layer.input)] * slope;
  return {
    mean: sumOf(dy, layer, together, (slope, n, i) => weighed(slope, i)),
    deviation: sumOf(dy, layer, together, (slope, n, i) =>
      weighed(slope, i) * normalized(layer, now, n, i)),
  };
}

// dx = r · (dx̂ − Σ dx̂ / M − x̂ · Σ dx̂ · x̂ / M): direct, through μ, through σ.
function threeWays(layer, now, dy, {mean, deviation}, n, i) {
  const set = KINDS[layer.kind].together(layer, n, i), r = now.kept.r[set];
  const share = r / now.kept.counts[set];
  return [r * now.params.gamma[channel(i, layer.input)] * dy[n][i], -share * mean[set],
          -share * normalized(layer, now, n, i) * deviation[set]];
}

KINDS.Standardize = {
  wires: each,
  factors: (layer, now, n) => now.x[n].map((_, i) => 1 / layer.std[channel(i, layer.input)]),
  shift(layer, now, y) {
    const c = channel(y, layer.input);
    return -layer.mean[c] / layer.std[c];
  },
};

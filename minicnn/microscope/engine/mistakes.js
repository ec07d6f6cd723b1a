// The mistakes of the book's chapters. A wrong backward gets the right answer {dx, grads}, to spoil
// it; a wrong optimiser is made of the right one.

// A normalisation that takes the direct way alone.
const FIXED = {
  name: "fixed",
  says: "μ and σ are taken for constants, though they move with x",
  backward: (layer, now, dy, right) => ({
    ...right,
    dx: dy.map((sample, n) => {
      const factors = KINDS[layer.kind].factors(layer, now, n);
      return sample.map((slope, i) => slope * factors[i]);
    }),
  }),
};

// After endless steps Adam has nothing left to correct.
const UNCORRECTED = {
  name: "uncorrected",
  says: "mean and square are not divided by 1 − βᵗ: the first steps are too large",
  optimizer: right => ({...right, steps: Infinity}),
};

const MISTAKES = {
  Conv2D: [{
    name: "assigning",
    says: "windows assign where they should add: a pixel keeps the share of the last that saw it",
    backward(layer, now, dy, right) {
      const {wires} = layer, positions = size(layer.window.output);
      const dx = zeros(now.x);
      dy.forEach((sample, n) => {
        const last = new Int32Array(dx[n].length).fill(-1);
        wires.y.forEach((y, wire) => {
          last[wires.x[wire]] = Math.max(last[wires.x[wire]], y % positions);
        });
        wires.y.forEach((y, wire) => {
          if (y % positions === last[wires.x[wire]])
            dx[n][wires.x[wire]] += sample[y] * now.params.weight[wires.w[wire]];
        });
      });
      return {...right, dx};
    },
  }],
  ConvTranspose2D: [{
    name: "mixed up",
    says: "the weight's gradient has its axes (in, out) exchanged",
    possible: layer => layer.input[0] === layer.output[0] && layer.groups === 1,
    backward(layer, now, dy, right) {
      const [channels] = layer.input, count = size(layer.window.kernel);
      const weight = right.grads.weight.map((_, w) => {
        const [c, f, tap] = position(w, [channels, channels, count]);
        return right.grads.weight[(f * channels + c) * count + tap];
      });
      return {...right, grads: {...right.grads, weight}};
    },
  }],
  Dense: [{
    name: "averaged",
    says: "the weights' gradient is a mean over the images, though the loss has divided already",
    possible: (layer, count) => count > 1,
    backward: (layer, now, dy, right) => ({
      ...right,
      grads: {...right.grads, weight: right.grads.weight.map(slope => slope / dy.length)},
    }),
  }],
  ReLU: [{
    name: "sign of the gradient",
    says: "the sign of dy is tested, not that of x",
    backward: (layer, now, dy, right) =>
      ({...right, dx: dy.map(sample => sample.map(slope => Math.max(slope, 0)))}),
  }],
  Sigmoid: [{
    name: "input instead",
    says: "the slope is written with the input, x · (1 − x), and wants the output",
    backward: (layer, now, dy, right) => ({
      ...right,
      dx: dy.map((sample, n) => sample.map((slope, i) => slope * now.x[n][i] * (1 - now.x[n][i]))),
    }),
  }],
  MaxPool2D: [{
    name: "every equal",
    says: "every pixel that equals the largest gets the gradient, not the first alone",
    backward(layer, now, dy, right) {
      const {wires} = layer, dx = zeros(now.x);
      dy.forEach((sample, n) => wires.y.forEach((y, wire) => {
        const x = wires.x[wire];
        if (now.x[n][x] === now.y[n][y]) dx[n][x] += sample[y];
      }));
      return {...right, dx};
    },
  }],
  BatchNorm: [FIXED],
  GroupNorm: [FIXED],
  Dropout: [{
    name: "no mask",
    says: "the gradient is passed on as it is, without the mask",
    backward: (layer, now, dy, right) => ({...right, dx: dy.map(sample => sample.slice())}),
  }, {
    name: "no scale",
    says: "the gradient is masked, but not scaled by 1 / (1 − p)",
    backward: (layer, now, dy, right) => ({
      ...right, dx: right.dx.map(sample => sample.map(slope => slope * (1 - layer.p))),
    }),
  }],
  Residual: [{
    name: "forgotten",
    says: "the way around is forgotten: the shortcut hands nothing back",
    backward: (layer, now, dy, right) => ({
      ...right,
      dx: right.dx.map(sample => sample.map((slope, i) => (i < sample.length / 2 ? 0 : slope))),
    }),
  }],
  Adam: [UNCORRECTED],
  AdamW: [UNCORRECTED],
  SoftmaxCrossEntropy: [{
    name: "sum",
    says: "nobody divides dz by the number of images",
    possible: (layer, count) => count > 1,
    backward: slopes => slopes.map(row => row.map(slope => slope * slopes.length)),
  }],
};

// Those that can be made: {key, at, name, says, backward or optimizer}; at is a layer's place, or
// their number for the loss, and one more for the optimiser.
function mistakes(network) {
  const kinds = [...network.layers, network.loss, network.steps[0].optimizer || {}];
  return kinds.flatMap((layer, at) => (MISTAKES[layer.kind] || [])
    .filter(({possible}) => !possible || possible(layer, network.count))
    .map(mistake => ({...mistake, at, key: `${at} ${mistake.name}`})));
}

// Convolution: a filter sees, through its window, the channels of its group. Its weight is
// (F, C / G, KH, KW). The transposed one has the same wires with x and y exchanged, and the weight
// (C, F / G, KH, KW).

KINDS.Conv2D = {
  wires(layer, add) {
    filters(layer, layer.output[0], layer.input[0], (f, c, kernel, window) =>
      taps(window, (o, pixel, tap) =>
        add(f * size(window.output) + o, c * size(window.image) + pixel, kernel + tap)));
  },
  factors: weighted,
  shift: biased,
};

KINDS.ConvTranspose2D = {
  wires(layer, add) {
    filters(layer, layer.input[0], layer.output[0], (c, f, kernel, window) =>
      taps(window, (o, pixel, tap) =>
        add(f * size(window.image) + pixel, c * size(window.output) + o, kernel + tap)));
  },
  factors: weighted,
  shift: biased,
};

// Each pair that a kernel connects: the weight's first axis, the second as a channel, the place
// of the kernel's first tap.
function filters({groups, window}, first, second, connect) {
  const ahead = first / groups, seen = second / groups, count = size(window.kernel);
  for (let f = 0; f < first; f++)
    for (let c = 0; c < seen; c++)
      connect(f, Math.floor(f / ahead) * seen + c, (f * seen + c) * count, window);
}

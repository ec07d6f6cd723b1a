// Dropout: a number is set to 0 or scaled by 1 / (1 − p). The mask is stored, the same both ways.

KINDS.Dropout = {
  wires: each,
  factors: (layer, now, n) =>
    now.x[n].map((_, i) => (now.kept.mask ? now.kept.mask[n][i] / (1 - layer.p) : 1)),
};

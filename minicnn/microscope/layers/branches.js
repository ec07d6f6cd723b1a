// Where ways meet. Such a node reads several arrays, and its x is one after the other.

KINDS.Residual = {  // the shortcut s, then what the layers make, f: y = s + f
  wires(layer, add) {
    const count = size(layer.output);
    for (let x = 0; x < 2 * count; x++) add(x % count, x, 0);
  },
  factors: ones,
};

KINDS.Parallel = {wires: each, factors: ones};  // the branches side by side

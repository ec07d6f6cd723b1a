// Dense: every output sees every input. Weight (out, in).

KINDS.Dense = {
  wires(layer, add) {
    const [inputs] = layer.input, [outputs] = layer.output;
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++) add(o, i, o * inputs + i);
  },
  factors: weighted,
  shift: biased,
};

// What a kind of layer states. Every layer is a list of wires (y, x, w): output y sees input x
// through weight w. Nothing else is needed for three of its four formulas:
//
//     forward    y[y] += c · x[x]         c: the wire's factor
//     input      dx[x] += c · dy[y]
//     weight     dw[w] += x[x] · dy[y]    where c is weight w
//
// A kind has
//     wires(layer, add)                    calls add(y, x, w) for each wire of one sample
//     factors(layer, now, n, wires)        c of each wire for sample n
// and, where it is more than a sum,
//     shift(layer, now, y, n)              what is added to output y: the bias
//     curve(x, layer), slope(x, y, layer)  y = f(x) of single numbers, and f′
//     keep(layer, x, wires)                what forward decides: the winners of a pooling
//     forward, backward                    of a layer that sees the whole batch
//     together(layer, n, i)                of a normalisation: which numbers share μ and σ
// `now` holds params (arrays by name), x and y (lists of samples), kept.

const KINDS = {};

// y = x, number by number.
function each(layer, add) {
  const count = size(layer.input);
  for (let i = 0; i < count; i++) add(i, i, 0);
}

// The factor of every wire.
function factorsOf(wires, factor) {
  const factors = new Float64Array(wires.y.length);
  for (let wire = 0; wire < factors.length; wire++) factors[wire] = factor(wire);
  return factors;
}

// The weight of layer k, where it is the wires' factor; a layer of a user's own may mean another
// thing by that name.
function weightOf({network, params}, k) {
  return KINDS[network.layers[k].kind].factors === weighted ? params[k].weight : undefined;
}

// The factor is a weight.
function weighted(layer, now, n, wires) {
  const {weight} = now.params;
  return factorsOf(wires, wire => weight[wires.w[wire]]);
}

// One bias for each channel of the output.
function biased(layer, now, y) {
  const {bias} = now.params;
  return bias ? bias[channel(y, layer.output)] : 0;
}

function channel(i, shape) {
  return Math.floor(i / (size(shape) / shape[0]));
}

function ones(layer, now, n, wires) {
  return factorsOf(wires, () => 1);
}

KINDS.Flatten = KINDS.Reshape = {wires: each, factors: ones};

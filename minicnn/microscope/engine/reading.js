// Who made a number, and whom it affects. A number is a spot:
//
//     {what: "value" | "slope", k, n, i}         of array k (0 is the image) of image n
//     {what: "param" | "grad", k, name, n, i}    of layer k; n is the image that is looked at
//
// madeBy gives {kind, formula, terms, total}; the products of the terms that are not lost add up to
// the total. A term is {factors: [{label, value, spot?}], product}.

// The whole array that a number stands in, row-major.
function arrayOf(now, {what, k, name, n}) {
  if (what === "value") return now.values[k][n];
  if (what === "slope") return now.slopes[k][n];
  return (what === "param" ? now.params : now.grads)[k][name];
}

function valueOf(now, spot) {
  return arrayOf(now, spot)[spot.i];
}

function shapeOf(now, {what, k, name}) {
  if (what === "value" || what === "slope") return now.network.shapes[k];
  return paramShape(now.network.layers[k], name, now.params[k][name].length);
}

function paramShape(layer, name, count) {
  if (name !== "weight") return [count];
  if (layer.kind === "Dense") return [layer.output[0], layer.input[0]];
  const [first] = layer.kind === "Conv2D" ? layer.output : layer.input;
  const {kernel} = layer.window;
  return [first, count / first / size(kernel), ...kernel];
}

// x[0,3,4], dw[1,0,2,2]: seen from layer `from`, whose input is x and whose output is y.
function label(now, spot, from) {
  const short = {weight: "w", bias: "b", gamma: "γ", beta: "β"};
  const letter = spot.what === "value" || spot.what === "slope"
    ? (spot.k === from ? "x" : "y") : short[spot.name] || spot.name;
  const d = spot.what === "slope" || spot.what === "grad" ? "d" : "";
  return `${d}${letter}[${position(spot.i, shapeOf(now, spot)).join(",")}]`;
}

// The wires that end, or begin, at a number.
function along(ends, i) {
  const found = [];
  for (let wire = 0; wire < ends.length; wire++) if (ends[wire] === i) found.push(wire);
  return found;
}

function factor(now, spot, from) {
  return {label: label(now, spot, from), value: valueOf(now, spot), spot};
}

function term(...factors) {
  return {factors, product: factors.reduce((product, {value}) => product * value, 1)};
}

const number = (text, value) => ({label: text, value});

function madeBy(now, spot) {
  const by = {value: valueMadeBy, slope: slopeMadeBy, grad: gradMadeBy, param: paramMadeBy};
  return by[spot.what](now, spot, valueOf(now, spot));
}

function valueMadeBy(now, {k, n, i}, total) {
  if (k === 0) return {kind: "given", formula: "a pixel of the image", total,
                       terms: [term(number("x", total))]};
  const l = k - 1, layer = now.network.layers[l], kind = KINDS[layer.kind], seen = at(now, l);
  const input = x => factor(now, {what: "value", k: l, n, i: x}, l);
  if (kind.curve)
    return {kind: "curve", formula: `y = ${FORMULAS[layer.kind]}`, total, x: seen.x[n][i], layer,
            input: input(i), terms: [{factors: [input(i)], product: total, through: "f"}]};
  if (layer.kind === "BatchNorm") return normalMadeBy(now, layer, l, n, i, total);
  const factors = kind.factors(layer, seen, n, layer.wires), wires = along(layer.wires.y, i);
  if (layer.kind === "MaxPool2D") {
    const terms = wires.map(wire => ({...term(input(layer.wires.x[wire])), lost: !factors[wire]}));
    for (const one of terms) one.tie = one.lost && one.product === total;
    return {kind: "max", formula: "y = the largest of its window", total, terms};
  }
  const terms = wires.map(wire =>
    term(through(now, l, n, wire, factors[wire]), input(layer.wires.x[wire])));
  if (kind.shift) {
    const c = channel(i, layer.output), {bias} = now.params[l];
    if (bias) terms.push(term(factor(now, {what: "param", k: l, name: "bias", n, i: c}, l)));
    else if (layer.kind === "Standardize")
      terms.push(term(number("−mean / std", kind.shift(layer, seen, i))));
  }
  return {kind: "sum", formula: FORMULAS[layer.kind], total, terms};
}

// A wire's factor: a weight that can be pointed at, or a number.
function through(now, l, n, wire, value) {
  const layer = now.network.layers[l];
  if (now.params[l].weight)
    return factor(now, {what: "param", k: l, name: "weight", n, i: layer.wires.w[wire]}, l);
  if (layer.kind === "MaxPool2D") return number(value ? "won" : "another won", value);
  return number(SHARES[layer.kind] || "1", value);
}

function normalMadeBy(now, layer, l, n, i, total) {
  const c = channel(i, layer.input);
  const param = name => factor(now, {what: "param", k: l, name, n, i: c}, l);
  const terms = [term(param("gamma"), number("x̂", normalized(layer, at(now, l), n, i))),
                 term(param("beta"))];
  return {kind: "normal", formula: FORMULAS.BatchNorm, total, terms, layer, channel: c,
          x: now.values[l][n][i], input: {spot: {what: "value", k: l, n, i}},
          mean: now.kept[l].mean[c], deviation: Math.sqrt(now.kept[l].variance[c]),
          running: {mean: now.params[l].running_mean[c], variance: now.params[l].running_var[c]}};
}

function slopeMadeBy(now, {k, n, i}, total) {
  const {layers, loss} = now.network;
  if (k === layers.length) return lossMadeBy(now, loss, n, i, total);
  const layer = layers[k], kind = KINDS[layer.kind], seen = at(now, k);
  const dy = y => factor(now, {what: "slope", k: k + 1, n, i: y}, k);
  if (layer.kind === "BatchNorm") {
    const all = now.slopes[k + 1], sums = batchSums(layer, seen, all);
    const ways = threeWays(layer, seen, all, sums, n, i);
    const names = ["direct: γ · dy / σ", "through μ", "through σ"];
    return {kind: "sum", formula: "dx = γ / σ · (dy − mean dy − x̂ · mean(dy · x̂))", total,
            terms: ways.map((way, j) => term(number(names[j], way)))};
  }
  const factors = kind.factors(layer, seen, n, layer.wires);
  const terms = along(layer.wires.x, i).map(wire =>
    term(dy(layer.wires.y[wire]), kind.curve ? number("slope", factors[wire])
                                             : through(now, k, n, wire, factors[wire])));
  const formula = kind.curve ? `dx = dy · slope, slope ${SLOPES[layer.kind]}` : BACK[layer.kind];
  return {kind: kind.curve ? "slope" : "sum", formula, total, terms, layer, x: seen.x[n][i]};
}

function lossMadeBy(now, loss, n, c, total) {
  const z = now.values.at(-1)[n], t = loss.target[n][c], over = number("1/N", 1 / loss.divisor);
  const output = factor(now, {what: "value", k: now.network.layers.length, n, i: c});
  const parts = {
    SoftmaxCrossEntropy: ["dz = (p − t) / N", number("p", softmax(z)[c]),
                          number("Σt", sum(loss.target[n]))],
    SigmoidCrossEntropy: ["dz = (p − t) / N", number("p", sigmoid(z[c])), number("1", 1)],
    MeanSquaredError: ["dz = 2 · (z − t) / N", output, number("2", 2)],
  }[loss.kind];
  const [formula, said, scale] = parts, minus = loss.kind === "MeanSquaredError" ? -2 : -1;
  return {kind: "loss", formula, total,
          terms: [term(said, scale, over), term(number("t", t), number(`${minus}`, minus), over)]};
}

function gradMadeBy(now, {k, name, i}, total) {
  const layer = now.network.layers[k], terms = [];
  const dy = (n, y) => factor(now, {what: "slope", k: k + 1, n, i: y}, k);
  const wires = name === "weight" ? along(layer.wires.w, i) : [];
  now.values[k].forEach((sample, n) => {
    if (name === "weight")
      for (const wire of wires)
        terms.push(term(dy(n, layer.wires.y[wire]),
                        factor(now, {what: "value", k, n, i: layer.wires.x[wire]}, k)));
    else
      for (const y of ofChannel(layer, i))
        terms.push(name !== "gamma" ? term(dy(n, y))
          : term(dy(n, y), number("x̂", normalized(layer, at(now, k), n, y))));
  });
  const formulas = {weight: "dw = Σ dy · x", bias: "db = Σ dy",
                    gamma: "dγ = Σ dy · x̂", beta: "dβ = Σ dy"};
  return {kind: "sum", formula: `${formulas[name]}, over images and positions`, total, terms};
}

function ofChannel(layer, c) {
  const count = size(layer.output) / layer.output[0];
  return Array.from({length: count}, (_, p) => c * count + p);
}

// What the optimiser makes of it.
function paramMadeBy(now, {k, name, i}, total) {
  const {optimizer} = now.network.steps[now.step], learned = now.network.layers[k].arrays[name];
  const given = {kind: "given", total, terms: [term(number("now", total))],
                 formula: learned ? "learned, in the steps before this one" : "not learned"};
  if (!optimizer || !learned) return given;
  const slot = slotName => {
    const array = optimizer.slots[slotName];
    return array ? decoded(array[`${k}.${name}`])[i] : 0;
  };
  const {lines, w} = OPTIMIZERS[optimizer.kind](optimizer, total, now.grads[k][name][i], slot);
  return {...given, kind: "update", lines, old: total, fresh: w, gradient: now.grads[k][name][i],
          formula: `${optimizer.kind}, lr ${optimizer.lr}`};
}

const FORMULAS = {
  Conv2D: "y = Σ w · x over its window, + b",
  ConvTranspose2D: "y = Σ w · x of all that paint it, + b",
  Dense: "y = Σ w · x, + b",
  AvgPool2D: "y = the mean of its window",
  GlobalAvgPool2D: "y = the mean of its channel",
  Flatten: "y = x", Reshape: "y = x",
  Dropout: "y = x · mask / (1 − p)",
  Standardize: "y = (x − mean) / std",
  BatchNorm: "y = γ · x̂ + β, x̂ = (x − μ) / σ",
  ReLU: "max(x, 0)", LeakyReLU: "x where x > 0, else slope · x", Sigmoid: "1 / (1 + e⁻ˣ)",
  Tanh: "tanh x", SiLU: "x · sigmoid(x)", ELU: "x where x > 0, else α · (eˣ − 1)",
  Softplus: "ln(1 + eˣ)", GELU: "x · Φ(x)",
};
const BACK = {
  Conv2D: "dx = Σ dy · w of all windows that saw it",
  ConvTranspose2D: "dx = Σ dy · w over what it painted",
  Dense: "dx = Σ dy · w",
  MaxPool2D: "dx = Σ dy of the windows that it won",
  AvgPool2D: "dx = Σ of its share of each dy", GlobalAvgPool2D: "dx = its share of dy",
  Flatten: "dx = dy", Reshape: "dx = dy",
  Dropout: "dx = dy · the same mask / (1 − p)", Standardize: "dx = dy / std",
};
const SLOPES = {
  ReLU: "1 (open) where y > 0, else 0 (shut)", LeakyReLU: "1 or the leak", Sigmoid: "y · (1 − y)",
  Tanh: "1 − y²", SiLU: "σ + x · σ · (1 − σ)", ELU: "1 or α · eˣ", Softplus: "sigmoid(x)",
  GELU: "Φ(x) + x · φ(x)",
};
const SHARES = {AvgPool2D: "1/size", GlobalAvgPool2D: "1/size",
                Dropout: "mask / (1 − p)", Standardize: "1/std"};

// The numbers that a number goes into, one layer on: [{spot, label, by}], by: the wire's factor.
function affects(now, spot) {
  const {what, k, n, i} = spot, {layers} = now.network;
  if (what === "grad") return [{spot: {...spot, what: "param"}, label: "its own update", by: 1}];
  if (what === "param") return paramAffects(now, spot);
  const l = what === "value" ? k : k - 1;
  if (l < 0 || l >= layers.length) return [];
  const layer = layers[l], ahead = what === "value";
  const factors = KINDS[layer.kind].factors(layer, at(now, l), n, layer.wires);
  const [here, there] = ahead ? [layer.wires.x, layer.wires.y] : [layer.wires.y, layer.wires.x];
  // A shut ReLU, a lost window, a mask: nothing passes. A weight of 0 may still be moved.
  const wires = along(here, i).filter(wire => now.params[l].weight || factors[wire]);
  const found = wires.map(wire =>
    reached(now, {what, k: ahead ? k + 1 : k - 1, n, i: there[wire]}, l, factors[wire]));
  if (!ahead && now.params[l].weight)
    for (const wire of wires)
      found.push(reached(now, {what: "grad", k: l, name: "weight", n, i: layer.wires.w[wire]}, l,
                         now.values[l][n][layer.wires.x[wire]]));
  const added = {bias: () => 1, beta: () => 1,
                 gamma: () => normalized(layer, at(now, l), n, i)};
  if (!ahead)
    for (const name of Object.keys(added).filter(one => now.params[l][one]))
      found.push(reached(now, {what: "grad", k: l, name, n, i: channel(i, layer.output)}, l,
                         added[name]()));
  return found;
}

function paramAffects(now, {k, name, n, i}) {
  const layer = now.network.layers[k];
  const out = (y, by) => reached(now, {what: "value", k: k + 1, n, i: y}, k, by);
  if (name === "weight")
    return along(layer.wires.w, i).map(wire =>
      out(layer.wires.y[wire], now.values[k][n][layer.wires.x[wire]]));
  if (name === "gamma")
    return ofChannel(layer, i).map(y => out(y, normalized(layer, at(now, k), n, y)));
  return name === "bias" || name === "beta" ? ofChannel(layer, i).map(y => out(y, 1)) : [];
}

function reached(now, spot, from, by) {
  return {spot, label: label(now, spot, from), by};
}

// Every number of a run.
function everySpot(now) {
  const found = [];
  now.values.forEach((batch, k) => batch.forEach((sample, n) => sample.forEach((_, i) =>
    found.push({what: "value", k, n, i}, {what: "slope", k, n, i}))));
  now.grads.forEach((grads, k) => Object.entries(grads).forEach(([name, array]) =>
    array.forEach((_, i) => found.push({what: "param", k, name, n: 0, i},
                                       {what: "grad", k, name, n: 0, i}))));
  return found;
}

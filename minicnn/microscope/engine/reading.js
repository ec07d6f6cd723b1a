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
  if (name !== "weight" || layer.kind === "Measured") return [count];
  if (layer.kind === "Dense") return [layer.output[0], layer.input[0]];
  const [first] = layer.kind === "Conv2D" ? layer.output : layer.input;
  const {kernel} = layer.window;
  return [first, count / first / size(kernel), ...kernel];
}

// x[0,3,4], dw[1,0,2,2]: seen from layer `from`, whose input is x and whose output is y.
function label(now, spot, from) {
  const short = {weight: "w", bias: "b", gamma: "γ", beta: "β"};
  const letter = spot.what === "value" || spot.what === "slope"
    ? letterOf(now.network.layers[from], spot.k) : short[spot.name] || spot.name;
  const d = spot.what === "slope" || spot.what === "grad" ? "d" : "";
  return `${d}${letter}[${position(spot.i, shapeOf(now, spot)).join(",")}]`;
}

function letterOf(layer, k) {
  const input = layer ? layer.reads.indexOf(k) : -1;
  if (input < 0) return "y";
  if (layer.kind === "Parallel") return `f${[...String(input)].map(d => "₀₁₂₃₄₅₆₇₈₉"[d]).join("")}`;
  return layer.kind === "Residual" ? ["s", "f"][input] : "x";
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
  const input = x => factor(now, {what: "value", n, ...source(now.network, layer, x)}, l);
  if (kind.curve)
    return {kind: "curve", formula: `y = ${FORMULAS[layer.kind]}`, total, x: seen.x[n][i], layer,
            input: input(i), terms: [{factors: [input(i)], product: total, through: "f"}]};
  if (kind.together) return normalMadeBy(now, layer, l, n, i, total);
  const factors = kind.factors(layer, seen, n, layer.wires), wires = along(layer.wires.y, i);
  if (layer.kind === "MaxPool2D") {
    const terms = wires.map(wire => ({...term(input(layer.wires.x[wire])), lost: !factors[wire]}));
    for (const one of terms) one.tie = one.lost && one.product === total;
    return {kind: "max", formula: "y = the largest of its window", total, terms};
  }
  const terms = wires.map(wire =>
    term(...through(now, l, n, wire, factors[wire]), input(layer.wires.x[wire])));
  if (kind.shift) {
    const c = channel(i, layer.output), {bias} = now.params[l];
    if (kind.shift === biased && bias)
      terms.push(term(factor(now, {what: "param", k: l, name: "bias", n, i: c}, l)));
    else if (RESTS[layer.kind])
      terms.push(term(number(RESTS[layer.kind], kind.shift(layer, seen, i, n))));
  }
  return {kind: "sum", formula: FORMULAS[layer.kind], total, terms};
}

// A wire's factor, in a list: a weight that can be pointed at, or a number, or nothing for 1.
function through(now, l, n, wire, value) {
  const layer = now.network.layers[l], kind = KINDS[layer.kind];
  if (weightOf(now, l))
    return [factor(now, {what: "param", k: l, name: "weight", n, i: layer.wires.w[wire]}, l)];
  if (layer.kind === "MaxPool2D") return [number(value ? "won" : "another won", value)];
  if (kind.curve) return [number("slope", value)];
  return kind.factors === ones ? [] : [number(SHARES[layer.kind], value)];
}

function normalMadeBy(now, layer, l, n, i, total) {
  const c = channel(i, layer.input), [k] = layer.reads;
  const {running_mean, running_var} = now.params[l];
  const param = name => factor(now, {what: "param", k: l, name, n, i: c}, l);
  const terms = [term(param("gamma"), number("x̂", normalized(layer, at(now, l), n, i))),
                 term(param("beta"))];
  return {kind: "normal", formula: FORMULAS[layer.kind], total, terms, layer,
          input: {what: "value", k, n, i}, set: KINDS[layer.kind].together(layer, n, i),
          running: running_mean && {mean: running_mean[c], variance: running_var[c]}};
}

// The sum of what comes back on every way that the number goes: by the layers that read it.
function slopeMadeBy(now, spot, total) {
  const {k, n, i} = spot, {layers, loss, readers} = now.network, back = readers[k];
  if (k === layers.length) return lossMadeBy(now, loss, n, i, total);
  const [layer] = back, {curve} = KINDS[layer.kind];
  const terms = back.flatMap(one => backThrough(now, one, spot));
  if (back.length > 1) {
    const ways = back.map(one => `${one.name} ${one.class}`).join(" + ");
    return {kind: "sum", formula: `the sum of what comes back by ${ways}`, total, terms,
            ways: back.length};
  }
  const formula = curve ? `dx = dy · slope, slope ${SLOPES[layer.kind]}` : BACK[layer.kind];
  return {kind: curve ? "slope" : "sum", formula, total, terms, layer,
          x: now.inputs[layer.at][n][i]};
}

// Which of the layers that read array k, where there are several.
function ofWhich(now, layer, k) {
  return now.network.readers[k].length > 1 ? ` of ${layer.name} ${layer.class}` : "";
}

// The terms that one of the layers that read a number hands back.
function backThrough(now, layer, {k, n, i}) {
  const l = layer.at, kind = KINDS[layer.kind], seen = at(now, l);
  if (kind.together) {
    const dy = now.slopes[l + 1], ways = threeWays(layer, seen, dy, setSums(layer, seen, dy), n, i);
    const names = ["direct: γ · dy / σ", "through μ", "through σ"];
    return ways.map((way, j) => term(number(names[j], way)));
  }
  const dy = y => {
    const one = factor(now, {what: "slope", k: l + 1, n, i: y}, l);
    return {...one, label: one.label + ofWhich(now, layer, k)};
  };
  const factors = kind.factors(layer, seen, n, layer.wires);
  return places(now.network, layer, k, i).flatMap(x => along(layer.wires.x, x).map(wire =>
    term(dy(layer.wires.y[wire]), ...through(now, l, n, wire, factors[wire]))));
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
  if (layer.kind === "Measured")
    return {kind: "sum", total, formula: "measured in Python, with the dy that came there",
            terms: now.kept[k][`share of ${name}`].map((share, n) =>
              term(number(`image ${n}`, share[i])))};
  const dy = (n, y) => factor(now, {what: "slope", k: k + 1, n, i: y}, k);
  const wires = name === "weight" ? along(layer.wires.w, i) : [];
  now.inputs[k].forEach((sample, n) => {
    if (name === "weight")
      for (const wire of wires)
        terms.push(term(dy(n, layer.wires.y[wire]),
          factor(now, {what: "value", k: layer.reads[0], n, i: layer.wires.x[wire]}, k)));
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
  const {optimizer} = now, learned = now.network.layers[k].arrays[name];
  const given = {kind: "given", total, terms: [term(number("now", total))],
                 formula: learned ? "learned, in the steps before this one" : "not learned"};
  if (!optimizer || !learned) return given;
  const slot = slotName => {
    const array = optimizer.slots[slotName];
    return array ? decoded(array[`${now.network.layers[k].name}.${name}`])[i] : 0;
  };
  const {lines, w} = OPTIMIZERS[optimizer.kind](optimizer, total, now.grads[k][name][i], slot);
  return {...given, kind: "update", lines, old: total, fresh: w, gradient: now.grads[k][name][i],
          formula: `${optimizer.kind}, lr ${optimizer.lr}`};
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

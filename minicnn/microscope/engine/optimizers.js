// One number's step: the lines of the formula with what came out, and the new w. `slot(name)` is
// what the optimiser remembers of this number, 0 before the first step.

const OPTIMIZERS = {
  SGD(o, w, gradient, slot) {
    const g = gradient + o.weight_decay * w, lines = decayed(o, gradient, g);
    if (!o.momentum) return {lines, w: w - o.lr * g};
    const v = o.momentum * slot("velocity") + g;
    lines.push({text: `velocity ← ${o.momentum} · velocity + g`, from: slot("velocity"), to: v});
    return {lines, w: w - o.lr * (o.nesterov ? g + o.momentum * v : v)};
  },
  RMSprop(o, w, gradient, slot) {
    const g = gradient + o.weight_decay * w, lines = decayed(o, gradient, g);
    const s = o.alpha * slot("square") + (1 - o.alpha) * g * g;
    lines.push({text: `square ← ${o.alpha} · square + ${rest(o.alpha)} · g²`,
                from: slot("square"), to: s});
    return {lines, w: w - o.lr * g / (Math.sqrt(s) + o.eps)};
  },
  Adagrad(o, w, gradient, slot) {
    const g = gradient + o.weight_decay * w, lines = decayed(o, gradient, g);
    const s = slot("square") + g * g;
    lines.push({text: "square ← square + g²", from: slot("square"), to: s});
    return {lines, w: w - o.lr * g / (Math.sqrt(s) + o.eps)};
  },
  Adam: (o, w, gradient, slot) => adam(o, w, gradient + o.weight_decay * w, gradient, slot, w),
  AdamW: (o, w, gradient, slot) =>
    adam(o, w, gradient, gradient, slot, w * (1 - o.lr * o.weight_decay)),
};

function adam(o, w, g, gradient, slot, shrunk) {
  const [b1, b2] = o.betas, step = o.steps + 1, lines = decayed(o, gradient, g);
  const m = b1 * slot("mean") + (1 - b1) * g, s = b2 * slot("square") + (1 - b2) * g * g;
  lines.push({text: `mean ← ${b1} · mean + ${rest(b1)} · g`, from: slot("mean"), to: m});
  lines.push({text: `square ← ${b2} · square + ${rest(b2)} · g²`, from: slot("square"), to: s});
  // Both began at 0: these undo their bias towards it.
  const mean = m / (1 - b1 ** step), square = s / (1 - b2 ** step);
  return {lines, w: shrunk - o.lr * mean / (Math.sqrt(square) + o.eps)};
}

function decayed(o, gradient, g) {
  if (g === gradient) return [];
  return [{text: `g ← g + ${o.weight_decay} · w`, from: gradient, to: g}];
}

function rest(keep) {
  return Number((1 - keep).toPrecision(6));
}

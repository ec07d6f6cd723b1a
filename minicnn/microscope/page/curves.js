// Curves: an activation with the point on it, a channel's histogram, the loss under a nudge.

function curveOf({x, layer, total, kind}, secret) {
  const f = value => KINDS[layer.kind].curve(value, layer);
  const reach = Math.max(2, 1.4 * Math.abs(x)), across = scaled(-reach, reach, 8, 232);
  const xs = Array.from({length: 113}, (_, j) => -reach + j * reach / 56), ys = xs.map(f);
  const down = scaled(Math.min(...ys, -0.2), Math.max(...ys, 0.2), 102, 8);
  const path = points(xs.map(across), ys.map(down));
  const slope = KINDS[layer.kind].slope(x, f(x), layer), span = reach / 3;
  const tangent = [x - span, x + span].map(at => `${across(at)},${down(f(x) + slope * (at - x))}`);
  const inside = `<path class="axis" d="M8 ${down(0)}H232M${across(0)} 8V102"/>
    <path class="curve" d="${path}"/>` + (secret ? "" :
    `<path class="tangent" d="M${tangent.join("L")}"/>
     <circle cx="${across(x)}" cy="${down(f(x))}" r="4.5"/>`);
  const words = secret ? "the curve"
    : `x = ${shown(x)}, f(x) = ${shown(f(x))}, slope ${shown(slope)}`;
  return element("div", {}, drawing(240, 110, inside, words),
    element("p", {class: "small"}, kind === "slope" && slope === 0 ? `${words}: shut` : words));
}

function points(xs, ys) {
  return "M" + Array.from(xs, (x, j) => `${x.toFixed(1)} ${ys[j].toFixed(1)}`).join("L");
}

// The numbers that share μ and σ, with μ, σ and the number itself.
function histogramOf(now, {layer, set, running, input}) {
  const {together} = KINDS[layer.kind], {mean: means, variance} = now.kept[layer.at];
  const values = now.values[input.k].flatMap((sample, n) =>
    [...sample].filter((_, i) => together(layer, n, i) === set));
  const x = valueOf(now, input), mean = means[set], deviation = Math.sqrt(variance[set]);
  const low = Math.min(...values), high = Math.max(...values), bins = new Array(24).fill(0);
  for (const value of values)
    bins[Math.min(23, Math.floor((value - low) / (high - low || 1) * 24))]++;
  const across = scaled(low, high, 8, 232), top = Math.max(...bins), width = 224 / 24;
  const bars = bins.map((count, j) => `<rect x="${8 + j * width}" y="${84 - 70 * count / top}"
    width="${width - 1}" height="${70 * count / top}"/>`).join("");
  const line = (at, name) => at < low || at > high ? "" :
    `<path class="tangent" d="M${across(at)} 10V88"/>
     <text x="${across(at)}" y="102">${name}</text>`;
  const lines = line(mean, "μ") + line(mean - deviation, "−σ") + line(mean + deviation, "+σ");
  const inside = `${bars}${lines}<circle cx="${across(x)}" cy="84" r="4.5"/>`;
  const what = layer.kind === "GroupNorm" ? `group ${set % layer.num_groups} of this image`
                                          : `channel ${set}`;
  const words = `${values.length} numbers of ${what}: μ = ${shown(mean)}, σ = ${shown(deviation)}`;
  const after = running ? `After the training, instead of these: the running μ, now ${
    shown(running.mean)}, and σ², now ${shown(running.variance)}.`
    : "After the training too: these belong to the image.";
  return element("div", {}, drawing(240, 110, inside, words),
                 element("p", {class: "small"}, words), element("p", {class: "small"}, after));
}

// The loss when the number moves, measured, and the straight line that the gradient promises.
function lossCurve(now, spot, found, h) {
  const moves = Array.from({length: 13}, (_, j) => (j - 6) / 6 * h);
  const losses = moves.map(move => lossWith(now, spot, move));
  const line = moves.map(move => found.base + found.gradient * move);
  const across = scaled(-h, h, 8, 232);
  const down = scaled(Math.min(...losses, ...line), Math.max(...losses, ...line), 92, 10);
  const inside = `<path class="tangent" d="${points(moves.map(across), line.map(down))}"/>
    <path class="curve" d="${points(moves.map(across), losses.map(down))}"/>
    <circle cx="${across(0)}" cy="${down(found.base)}" r="4.5"/>
    <circle class="open" cx="${across(h)}" cy="${down(losses.at(-1))}" r="4.5"/>
    <text x="20" y="108">−h</text><text x="222" y="108">+h</text>`;
  return drawing(240, 112, inside, `the loss as the number moves by up to ${h}, and the tangent`);
}

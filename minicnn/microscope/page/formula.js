// The number pointed at: its formula with numbers in place of letters, who made it, whom it
// affects.

const FEW = 8;  // lines of a list, until somebody asks for all

function drawReading() {
  const now = current(), {spot} = state, made = madeBy(now, spot), secret = hidden(spot);
  const parts = [
    element("h2", {}, nameOf(now, spot), state.pinned ? element("small", {}, " pinned") : ""),
    secret ? guessBox(now, spot)
           : element("p", {class: "total"}, `= ${shown(made.total)}`, guessed(spot)),
    element("p", {class: "formula"}, made.formula),
  ];
  if (made.kind === "curve" || made.kind === "slope") parts.push(curveOf(made, secret));
  if (made.kind === "normal") parts.push(histogramOf(now, made));
  const output = spot.what === "value" && spot.k === state.network.layers.length;
  if ((made.kind === "loss" || output) && !secret)
    parts.push(lossTable(now, spot.n, spot.i));
  if (made.kind === "update") parts.push(updateTable(made));
  if (["sum", "max", "slope", "normal", "loss"].includes(made.kind))
    parts.push(termTable(made, secret));
  const right = made.kind === "update" ? madeBy(current(""), spot).fresh
                                       : valueOf(current(""), spot);
  if (differs(made.fresh ?? made.total, right))
    parts.push(element("p", {class: "off"},
      `✗ The mistake departs here: the number should be ${shown(right)}.`));
  for (const {layer, said, off} of sayings(current(""), spot))
    parts.push(element("p", {class: off ? "off" : "fits"}, `${off ? "✗" : "✓"} The backward of ` +
      `${layer.name} ${layer.class} says ${shown(said)}${off ? "." : " too."}`));
  parts.push(affectsTable(now, spot), conesRow(), nudgeBox(now, spot));
  document.getElementById("reading").replaceChildren(...parts.filter(Boolean));
}

function nameOf(now, spot) {
  const arrays = spot.what === "value" || spot.what === "slope";
  const inMiddle = around(state.layer).includes(spot.k);
  const from = !arrays ? spot.k : inMiddle ? state.layer : spot.k - 1;
  const layer = state.network.layers[from];
  if (!layer) return `${label(now, spot, -1).replace("y", "z")} of the loss`;
  return `${label(now, spot, from)} of layer ${layer.name}, ${layer.class}`;
}

// A factor that can be gone to.
function factorButton({label: text, value, spot}) {
  const words = `${text} ${shown(value)}`;
  if (!spot) return element("span", {class: "factor"}, words);
  const go = () => point(spot, true);
  return element("button", {type: "button", class: "factor", onclick: go}, words);
}

// The terms, the largest first, and their running sum.
function termTable(made, secret) {
  const sorted = [...made.terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product));
  if (made.kind === "max") sorted.sort((a, b) => (a.lost ? 1 : 0) - (b.lost ? 1 : 0));
  const adds = made.kind !== "max", rows = [];
  let running = 0;
  for (const {factors, product, lost, tie} of state.all.terms ? sorted : sorted.slice(0, FEW)) {
    running += product;
    const cells = factors.flatMap((one, j) => [j ? " · " : "", factorButton(one)]);
    const verdict = lost ? (tie ? "tie, came later" : "") : "won";
    rows.push(element("tr", {}, element("td", {}, cells),
      element("td", {class: "number"}, secret ? "?" : adds ? shown(product) : verdict),
      adds ? element("td", {class: "number running"}, secret ? "?" : shown(running)) : undefined));
  }
  const heads = adds ? ["terms by size", "product", "running sum"] : ["in the window", ""];
  return listed("terms", heads, rows, sorted.length);
}

// A table, and a button for what it leaves out.
function listed(name, heads, rows, count) {
  const more = count > FEW ? element("button", {
    type: "button", class: "more", "data-all": name,
    onclick: () => { state.all[name] = !state.all[name]; show(); },
  }, state.all[name] ? "fewer" : `all ${count} terms`) : undefined;
  return element("div", {class: `list ${name}`},
    table(heads, rows), more);
}

function table(heads, rows) {
  return element("table", {},
    element("thead", {}, element("tr", {}, heads.map(head => element("th", {}, head)))),
    element("tbody", {}, rows));
}

function affectsTable(now, spot) {
  const found = affects(now, spot).sort((a, b) => Math.abs(b.by) - Math.abs(a.by));
  if (!found.length) {
    const last = spot.what === "value" && spot.k === state.network.layers.length;
    const first = spot.what === "slope" && spot.k === 0;
    return element("p", {}, last ? "It goes into the loss." :
      first ? "It goes no further: below is the image." : "It goes no further: the way is shut.");
  }
  const listing = state.all.affects ? found : found.slice(0, FEW);
  const secret = state.predict;  // what is one layer on may tell what is asked
  const rows = listing.map(({spot: to, label: text, by}) => element("tr", {},
    element("td", {}, secret ? text
      : factorButton({label: text, value: valueOf(now, to), spot: to})),
    element("td", {class: "number"}, secret ? "?" : `× ${shown(by)}`)));
  const batch = spot.what === "param" ? " in this image" : "";
  return listed("affects", [`affects ${found.length}${batch}`, "factor"], rows, found.length);
}

// z → eᶻ → p → L, and what comes back.
function lossTable(now, n, c) {
  const {loss, classes} = state.network, z = now.values.at(-1)[n], t = loss.target[n];
  if (z.length > 40) return undefined;
  const soft = loss.kind === "SoftmaxCrossEntropy";
  const p = soft ? softmax(z) : loss.kind === "SigmoidCrossEntropy" ? z.map(sigmoid) : z;
  const slope = now.slopes.at(-1)[n];
  const heads = soft ? ["", "z", "eᶻ", "p", "t", "(p − t) / N"] : ["", "z", "p", "t", "slope"];
  const rows = [...z].map((value, k) => element("tr", {class: k === c ? "here" : ""},
    element("th", {}, String(classes ? classes[k] : k)),
    [value, ...(soft ? [Math.exp(value)] : []), p[k], t[k], slope[k]].map(each =>
      element("td", {class: "number"}, shown(each, 3)))));
  return element("div", {class: "list loss"},
    table(heads, rows), element("p", {}, `L = ${shown(now.loss)}, the mean of the batch.`));
}

// The optimiser: what it remembers, and old → new.
function updateTable({lines, old, fresh, gradient}) {
  const row = (text, from, to) => element("tr", {}, element("td", {}, text),
    element("td", {class: "number"}, shown(from)), element("td", {class: "number"}, to));
  const rows = [row("gradient g", gradient, ""),
                ...lines.map(({text, from, to}) => row(text, from, `→ ${shown(to)}`)),
                row("the number itself", old, `→ ${shown(fresh)}`)];
  return element("div", {class: "list update"}, element("table", {}, element("tbody", {}, rows)));
}

// ── predict: the number comes when somebody has guessed ──────────────────────────────────────

function guessBox(now, spot) {
  const field = element("input", {id: "guess", inputmode: "text", autocomplete: "off",
                                  "aria-label": "your guess", size: 8});
  const give = event => {
    event.preventDefault();
    const value = Number(field.value.replace("−", "-").replace(",", "."));
    if (field.value.trim() === "" || Number.isNaN(value)) return;
    state.guessed.add(`${keyOf(spot)} ${spot.n} ${spot.i} ${state.step}`);
    state.guess = value;
    show();
  };
  return element("form", {class: "predict", onsubmit: give}, "= ? Your guess: ", field,
                 element("button", {type: "submit"}, "show"));
}

function guessed(spot) {
  if (state.guess === "") return "";
  const value = valueOf(current(), spot), off = Math.abs(state.guess - value);
  const right = off <= 0.01 * Math.abs(value) + 5e-4;
  return element("span", {class: right ? "fits" : "off"},
                 right ? " ✓ right" : ` ✗ you said ${shown(state.guess)}`);
}

// ── cones ────────────────────────────────────────────────────────────────────────────────────

function conesRow() {
  const choice = (cones, text) => element("button", {
    type: "button", "aria-pressed": String(state.cones === cones), "data-cone": cones,
    onclick: () => { state.cones = state.cones === cones ? "" : cones; show(); },
  }, text);
  return element("p", {class: "choices"}, "Cone: ", choice("made", "who made it"),
                 choice("affects", "whom it affects"));
}

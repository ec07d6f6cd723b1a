// Below: the step, with the loss of every step that was kept; the image; the direction. Above: the
// switches of predict and of the chapters' mistakes, and what the page found of itself.

// The slider is made once, for it is held while what lies around it changes.
function drawTimeline() {
  const {network, step} = state, {steps} = network, place = document.getElementById("timeline");
  if (!place.children.length)
    place.append(element("div", {id: "losses"}),
                 element("input", {type: "range", id: "step", min: 0, max: steps.length - 1,
                                   "aria-label": "step of the training",
                                   hidden: steps.length === 1,
                                   oninput: event => look({step: Number(event.target.value)})}),
                 element("div", {id: "choices"}));
  const slider = document.getElementById("step");
  slider.value = step;
  const losses = steps.map(one => one.reference.loss);
  const curve = steps.length > 1 ? stepCurve(losses) : "";
  document.getElementById("losses").replaceChildren(curve);
  const rate = steps[step].optimizer ? `, lr ${steps[step].optimizer.lr}` : "";
  const said = `step ${steps[step].n}${rate}, loss ${shown(losses[step]).replace("+", "")}`;
  slider.setAttribute("aria-valuetext", said);
  const choice = (view, text) => element("button", {
    type: "button", "aria-pressed": String(state.view === view), onclick: () => look({view}),
  }, text);
  document.getElementById("choices").replaceChildren(
    element("p", {class: "small"}, said),
    element("div", {class: "images", role: "group", "aria-label": "images"},
            network.images.map((_, n) => imageButton(n))),
    element("p", {class: "choices"}, choice("forward", "▼ Forward"),
            choice("backward", "▲ Backward")));
}

function stepCurve(losses) {
  const across = scaled(0, losses.length - 1, 8, 292);
  const down = scaled(Math.min(...losses), Math.max(...losses), 52, 8);
  const path = points(losses.map((_, s) => across(s)), losses.map(down));
  const dots = losses.map((loss, s) => `<circle class="${s === state.step ? "" : "open"}"
    cx="${across(s)}" cy="${down(loss)}" r="${s === state.step ? 5 : 2.5}"/>`);
  return drawing(300, 60, `<path class="curve" d="${path}"/>${dots.join("")}`,
                 `loss from ${shown(losses[0])} to ${shown(losses.at(-1))}`);
}

function imageButton(n) {
  const {network} = state, label = network.labels && network.labels[n];
  const name = label === null ? n : network.classes ? network.classes[label] : label;
  const spot = {what: "value", k: 0, n, i: 0};
  return element("button", {type: "button", "aria-pressed": String(state.image === n),
                            "aria-label": `image ${n}, ${name}`, onclick: () => look({image: n})},
                 thumbnail(current(), spot, {}), element("small", {}, String(name)));
}

// These too are made once.
function drawSwitches() {
  const made = mistakes(state.network), place = document.getElementById("switches");
  if (!place.children.length) place.append(...switches(made));
  document.getElementById("predict").setAttribute("aria-pressed", String(state.predict));
  document.getElementById("mistake").value = state.mistake;
  const chosen = made.find(({key}) => key === state.mistake);
  document.getElementById("chosen").textContent = chosen ? `Switched on: ${chosen.says}.` : "";
}

function switches(made) {
  const {layers} = state.network;
  const menu = element("select", {
    id: "mistake", "aria-label": "mistake of a chapter",
    onchange: ({target: {value}}) => look({mistake: value,
      view: made.some(one => one.key === value && one.optimizer) ? "forward" : "backward"}),
  }, element("option", {value: ""}, "none"), made.map(({key, at, name, optimizer}) =>
    element("option", {value: key}, `${layers[at] ? `${layers[at].name} ${layers[at].class}`
      : optimizer ? "optimizer" : "loss"}: ${name}`)));
  return [
    element("button", {type: "button", id: "predict",
      onclick: () => { state.predict = !state.predict; show(); }}, "predict"),
    element("label", {}, "Mistake: ", menu),
    element("p", {class: "off", id: "chosen"}),
    element("details", {}, element("summary", {}, "keys"), element("p", {},
      "arrows: move the cell · Tab: the next array · Enter: pin · F, B: forward, backward · " +
      "[ ]: step · solid outline: made it · dashed: affected by it · corner tick: below zero · " +
      "small cross: a wrong gradient")),
  ];
}

function drawCheck() {
  const place = document.getElementById("check"), [first, ...others] = otherwise();
  place.className = first ? "off" : "fits";
  if (!first)
    place.replaceChildren("✓ All sums are those that minicnn found" +
      (state.network.half ? ", of weights rounded to float16." : "."));
  else
    place.replaceChildren(
      "⚠ The network computed something else than this page. The first that differs: ",
      element("button", {type: "button", id: "first", onclick: () => point(first.spot, true)},
              first.text),
      others.length ? ` Then ${others.length} more.` : "");
}

// Nudge: move the number by h, and see the measured ΔL beside gradient · h.

const STEPS = [0.001, 0.01, 0.1, 1];

const VERDICTS = {
  agrees: ({gradient}) =>
    `✓ For a tiny step the loss moves as the gradient ${shown(gradient)} says.`,
  kink: ({left, right}) => `A kink: the slope is ${shown(left)} to the left and ${shown(right)} ` +
    "to the right, so no single number is its gradient.",
  wrong: ({gradient, left}) => `✗ The gradient says ${shown(gradient)}, a tiny step measures ` +
    `${shown(left)}: this gradient is wrong.`,
};

function nudgeBox(now, spot) {
  if (gradientOf(now, spot) === undefined) return undefined;
  const choice = h => element("button", {
    type: "button", "aria-pressed": String(state.h === h), onclick: () => { state.h = h; show(); },
  }, `h = ${h}`);
  const head = element("h3", {}, `Nudge ${nudgedName(now, spot)}`);
  const row = element("p", {class: "choices"}, STEPS.map(choice));
  if (hidden({...spot, what: spot.what === "value" ? "slope" : spot.what})) return undefined;
  if (!state.nudging)
    return element("div", {class: "nudge"}, head, element("button", {
      type: "button", id: "nudge", onclick: () => { state.nudging = true; show(); },
    }, "move it and measure"));
  const found = nudge(now, spot, state.h), straight = measuredAfter(now, nudgedSpot(spot));
  const line = (text, value) => element("tr", {}, element("td", {}, text),
                                        element("td", {class: "number"}, shown(value)));
  return element("div", {class: "nudge"}, head, row,
    element("table", {}, element("tbody", {}, line("measured ΔL", found.measured),
                                 line("gradient · h", found.expected),
                                 line("difference", found.measured - found.expected))),
    lossCurve(now, spot, found, state.h),
    element("p", {class: `verdict ${found.verdict}`}, VERDICTS[found.verdict](found)),
    straight.length ? element("p", {class: "small"}, `What ${straight.join(" and ")} makes of it ` +
      "is known by the slopes that were measured in Python: linear here.") : undefined);
}

// The measured layers that a nudge goes through.
function measuredAfter(now, spot) {
  const reach = cone(now, spot, true);
  return now.network.layers.filter(({kind, reads}) =>
    kind === "Measured" && reads.some(k => reach[k] && reach[k].includes(1)))
    .map(layer => `${layer.name} ${layer.class}`);
}

function nudgedName(now, spot) {
  return nameOf(now, nudgedSpot(spot)).split(" of ")[0];
}

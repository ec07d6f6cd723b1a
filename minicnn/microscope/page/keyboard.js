// The keyboard alone does everything: arrows move, Tab goes on, Enter pins, F and B, [ and ].

const MOVES = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]};

function pressed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (/INPUT|SELECT/.test(event.target.tagName) && event.target.type !== "range") return;
  const onArray = event.target.dataset && event.target.dataset.array;
  const last = state.network.steps.length - 1;
  if (MOVES[event.key] && onArray) move(MOVES[event.key]);
  else if (event.key === "Enter" && onArray) point(state.spot, !state.pinned);
  else if (event.key === "f" || event.key === "F") look({view: "forward"});
  else if (event.key === "b" || event.key === "B") look({view: "backward"});
  else if (event.key === "[") look({step: Math.max(0, state.step - 1)});
  else if (event.key === "]") look({step: Math.min(last, state.step + 1)});
  else return;
  event.preventDefault();
}

// One cell on, within the plane that is shown.
function move([down, right]) {
  const shape = shapeOf(current(), state.spot), plane = planes(shape)[planeOf(shape, state.spot.i)];
  const p = state.spot.i - plane.start;
  const i = Math.floor(p / plane.columns) + down, j = p % plane.columns + right;
  const to = i * plane.columns + j;
  if (i < 0 || j < 0 || j >= plane.columns || to >= plane.count) return;
  point({...state.spot, i: plane.start + to});
}

// What is pointed at, for who hears it.
function say() {
  const now = current(), {spot} = state, name = nameOf(now, spot);
  const made = madeBy(now, spot), count = made.terms.length;
  const value = hidden(spot) ? "hidden until you guess" : shown(made.total);
  const ways = made.ways ? `, from ${made.ways} ways back` : "";
  const how = {sum: `the sum of ${count} term${count > 1 ? "s" : ""}${ways}`,
               max: `the largest of ${count}`,
               update: `the optimiser makes it ${shown(made.fresh)}`}[made.kind] || made.formula;
  const reach = affects(now, spot).length;
  const goes = reach ? ` It affects ${reach} number${reach === 1 ? "" : "s"}.` : "";
  document.getElementById("said").textContent = `${name} is ${value}: ${how}.${goes}`;
}

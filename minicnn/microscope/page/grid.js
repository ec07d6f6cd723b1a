// An array at the size of cells: one plane of it, colours, signs, and what is outlined.

// The planes of an array: (C, H, W) has C of them, a weight (F, C, KH, KW) F · C, rows (O, I) O.
function planes(shape) {
  if (shape.length >= 3) {
    const [rows, columns] = shape.slice(-2), count = rows * columns;
    return Array.from({length: size(shape) / count}, (_, k) =>
      ({rows, columns, count, start: k * count}));
  }
  const count = shape.at(-1), columns = count <= 12 ? count : Math.ceil(Math.sqrt(count));
  return Array.from({length: size(shape) / count}, (_, k) =>
    ({rows: Math.ceil(count / columns), columns, count, start: k * count}));
}

function planeOf(shape, i) {
  return Math.floor(i / planes(shape)[0].count);
}

function planeName(shape, plane) {
  const word = {2: "row", 3: "channel", 4: "kernel"}[shape.length], ahead = shape.slice(0, -2);
  const counts = shape.length === 2 ? [shape[0]] : ahead;
  return `${word} ${position(plane, counts).join(", ")} of ${counts.join(" × ")}`;
}

// Blue above zero, orange below, as the style sheet says for day and night.
function palette() {
  const style = getComputedStyle(document.documentElement);
  const parts = name => style.getPropertyValue(name).match(/\d+/g).map(Number);
  return {zero: parts("--zero"), plus: parts("--plus"), minus: parts("--minus"),
          ink: `rgb(${parts("--ink")})`, paper: `rgb(${parts("--paper")})`,
          mark: `rgb(${parts("--mark")})`};
}

function colour({zero, plus, minus}, value, top) {
  const share = top ? Math.min(1, Math.abs(value) / top) : 0, to = value < 0 ? minus : plus;
  return zero.map((part, k) => Math.round(part + (to[k] - part) * share));
}

function largest(values) {
  let top = 0;
  for (const value of values) top = Math.max(top, Math.abs(value));
  return top;
}

// The box of an array: its name, a canvas with a cell for each number, and steps between planes.
function gridBox(spot, title) {
  const canvas = element("canvas", {tabindex: 0, role: "application", "data-array": keyOf(spot)});
  const box = element("figure", {class: "array"}, element("figcaption", {}, title), canvas,
                      element("div", {class: "planes"}));
  const under = event => {
    const {plane, cell} = canvas.laid, bounds = canvas.getBoundingClientRect();
    const j = Math.floor((event.clientX - bounds.left) / cell);
    const i = Math.floor((event.clientY - bounds.top) / cell), at = i * plane.columns + j;
    if (j < 0 || j >= plane.columns || i < 0 || at >= plane.count) return null;
    return {...spot, n: state.image, i: plane.start + at};
  };
  canvas.addEventListener("pointermove", event => {
    const found = event.pointerType === "mouse" && !state.pinned && under(event);
    if (found && !sameSpot(found, state.spot)) point(found);
  });
  canvas.addEventListener("click", event => {
    const found = under(event);
    if (found) point(found, !(state.pinned && sameSpot(found, state.spot)));
  });
  canvas.addEventListener("focus", () => {
    if (keyOf(state.spot) === keyOf(spot)) return;
    const shape = shapeOf(current(), spot);
    point({...spot, n: state.image, i: planes(shape)[state.channels[keyOf(spot)] || 0].start});
  });
  return box;
}

// marks: {made, affected} lists of spots, cone a mask or nothing, wrong a mask or nothing.
function drawGrid(box, spot, marks) {
  const canvas = box.querySelector("canvas"), now = current(), shape = shapeOf(now, spot);
  const all = planes(shape), at = Math.min(state.channels[keyOf(spot)] || 0, all.length - 1);
  const plane = all[at], colours = palette();
  // Input, kernel and output side by side; on a phone one below the other.
  const room = Math.max(120, box.parentElement.clientWidth / (innerWidth < 700 ? 1 : 3) - 24);
  const cell = Math.max(5, Math.min(44, Math.floor(room / plane.columns)));
  const ratio = devicePixelRatio || 1, width = cell * plane.columns, height = cell * plane.rows;
  canvas.laid = {plane, cell};
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const values = arrayOf(now, {...spot, n: state.image}), top = largest(values);
  for (let p = 0; p < plane.count; p++) {
    const x = p % plane.columns * cell, y = Math.floor(p / plane.columns) * cell;
    const i = plane.start + p;
    drawCell(pen, {x, y, cell, value: values[i], top, colours, hidden: hidden({...spot, i}),
                   faint: marks.cone && !marks.cone[i], wrong: marks.wrong && marks.wrong[i]});
  }
  const outline = (i, inset, dashes, thick) => {
    const p = i - plane.start;
    if (p < 0 || p >= plane.count) return;
    pen.setLineDash(dashes);
    pen.lineWidth = thick;
    pen.strokeStyle = colours.mark;
    pen.strokeRect(p % plane.columns * cell + inset, Math.floor(p / plane.columns) * cell + inset,
                   cell - 2 * inset, cell - 2 * inset);
  };
  const thin = cell < 14 ? 1 : 1.5;
  const here = (list, dashes) => {
    const inside = new Set(list.filter(one => keyOf(one) === keyOf(spot)).map(({i}) => i)
      .filter(i => i >= plane.start && i < plane.start + plane.count));
    if (inside.size < plane.count) for (const i of inside) outline(i, thin, dashes, thin);
    else {  // all of them: one line around the plane
      pen.setLineDash(dashes);
      pen.lineWidth = 2;
      pen.strokeStyle = colours.mark;
      pen.strokeRect(1, 1, width - 2, height - 2);
    }
  };
  here(marks.affected, [3, 2]);
  here(marks.made, []);
  if (keyOf(state.spot) === keyOf(spot)) outline(state.spot.i, 1.5, [], 3.5);
  canvas.setAttribute("aria-label", `${box.querySelector("figcaption").textContent}, ` +
    `${shape.join(" × ")}. Arrow keys move.`);
  drawPlanes(box.querySelector(".planes"), spot, shape, all, at);
}

function drawCell(pen, {x, y, cell, value, top, colours, hidden, faint, wrong}) {
  const fill = hidden ? colours.zero : colour(colours, value, top), gap = cell > 9 ? 1 : 0;
  pen.globalAlpha = faint ? 0.18 : 1;
  pen.fillStyle = `rgb(${fill})`;
  pen.fillRect(x, y, cell - gap, cell - gap);
  const dark = fill[0] * 0.3 + fill[1] * 0.59 + fill[2] * 0.11 < 128;
  pen.fillStyle = dark ? "#fff" : "#000";
  if (!hidden && value < 0 && cell >= 7) {  // the corner tick: below zero, also in grey
    const side = Math.max(3, cell / 5);
    pen.beginPath();
    pen.moveTo(x, y);
    pen.lineTo(x + side, y);
    pen.lineTo(x, y + side);
    pen.fill();
  }
  if (cell >= 22) {
    const text = hidden ? "?" : short(value, cell >= 27 ? 5 : 4);
    pen.font = `${Math.min(13, cell * Math.min(0.34, 1.5 / text.length))}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    pen.fillText(text, x + cell / 2, y + cell / 2 + 1);
  }
  if (wrong && cell >= 14) {
    pen.strokeStyle = dark ? "#fff" : "#000";
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x + cell * 0.75, y + cell * 0.1);
    pen.lineTo(x + cell * 0.95, y + cell * 0.3);
    pen.moveTo(x + cell * 0.95, y + cell * 0.1);
    pen.lineTo(x + cell * 0.75, y + cell * 0.3);
    pen.stroke();
  }
  pen.globalAlpha = 1;
}

// ‹ channel 2 of 8 ›
function drawPlanes(row, spot, shape, all, at) {
  row.replaceChildren();
  const to = (text, plane, words) => element("button", {
    type: "button", "aria-label": words, disabled: plane < 0 || plane >= all.length,
    onclick: () => point({...spot, n: state.image, i: all[plane].start}),
  }, text);
  if (all.length > 1)
    row.append(to("‹", at - 1, "the plane before"), ` ${planeName(shape, at)} `,
               to("›", at + 1, "the next plane"));
}

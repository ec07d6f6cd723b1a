// Numbers as text, and elements of the page.

// Digits that count, with a sign that is seen: +0.5312, −12.5, 0.
function shown(value, digits = 4) {
  if (value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-4 ? size.toExponential(digits - 2)
    : String(Number(size.toPrecision(digits)));
  return (value < 0 ? "−" : "+") + text;
}

// For a cell: as many letters as fit.
function short(value, letters) {
  if (value === 0) return "0";
  const sign = value < 0 ? "−" : "", size = Math.abs(value);
  const power = sign + size.toExponential(0).replace("+", "");
  if (size < 5e-4 || size >= 1e5) return power.length <= letters ? power : `${sign}~0`;
  for (let digits = 3; digits >= 0; digits--) {
    let text = size.toFixed(digits).replace(/^0\./, ".");
    if (text.includes(".")) text = text.replace(/\.?0+$/, "") || "0";
    if (sign.length + text.length <= letters) return text === "0" ? `${sign}~0` : sign + text;
  }
  return size >= 1 ? power : `${sign}~0`;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter(child => child !== undefined && child !== null));
  return made;
}

// An SVG drawing from its inside.
function drawing(width, height, inside, words) {
  const box = element("div", {class: "drawing", role: "img", "aria-label": words});
  box.innerHTML = `<svg viewBox="0 0 ${width} ${height}" aria-hidden="true">${inside}</svg>`;
  return box;
}

function scaled(low, high, from, to) {
  const span = high - low || 1;
  return value => from + (value - low) / span * (to - from);
}

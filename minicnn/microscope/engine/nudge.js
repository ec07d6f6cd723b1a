// Proof by nudging: move one number by h, compute the loss again, and compare with gradient · h.

const TINY = 1e-5;  // small enough for a slope, large enough for double precision

// The number that a gradient belongs to.
function nudgedSpot(spot) {
  return {...spot, what: {slope: "value", grad: "param"}[spot.what] || spot.what};
}

function gradientOf(now, spot) {
  const what = {value: "slope", param: "grad"}[spot.what] || spot.what;
  if (what === "grad" && !now.grads[spot.k][spot.name]) return undefined;
  // What such a layer makes of another parameter only Python knows.
  if (what === "grad" && now.network.layers[spot.k].kind === "Measured") return undefined;
  return valueOf(now, {...spot, what});
}

function lossWith(now, spot, h) {
  const {what, k, name, n, i} = nudgedSpot(spot);
  if (what === "value") {
    const values = [...now.values[k]];
    values[n] = Float64Array.from(values[n]);
    values[n][i] += h;
    return lossAfter(now, k, {values, only: n});
  }
  const params = [...now.params];
  params[k] = {...params[k], [name]: Float64Array.from(params[k][name])};
  params[k][name][i] += h;
  return lossAfter(now, k, {params});
}

// {gradient, expected, measured, left, right, verdict}: expected is gradient · h, measured ΔL;
// left and right are the slopes on both sides, and where they differ the loss has a kink.
function nudge(now, spot, h) {
  const base = lossWith(now, spot, 0), gradient = gradientOf(now, spot);
  const measured = lossWith(now, spot, h) - base;
  const right = (lossWith(now, spot, TINY) - base) / TINY;
  const left = (base - lossWith(now, spot, -TINY)) / TINY;
  const unit = Math.max(Math.abs(left), Math.abs(right), Math.abs(gradient), 1e-6);
  const near = (a, b) => Math.abs(a - b) <= 1e-3 * unit;
  const kink = !near(left, right), between = (left + right) / 2;
  const verdict = kink ? "kink" : near(gradient, between) ? "agrees" : "wrong";
  return {gradient, expected: gradient * h, measured, left, right, verdict, base};
}

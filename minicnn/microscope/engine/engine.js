// A training step, forward and backward, in double precision.
//
// A run holds values (of each array from the image to the output, a list of samples), kept and
// params of each layer, the loss, and after `backward` slopes (∂L/∂ of the values) and grads.

// The network of a data block, with each layer's wires.
function prepared(data) {
  const count = data.images.shape[0];
  const pixels = decoded(data.images).map(v => (data.images.dtype === "u1" ? v / 255 : v));
  const layers = data.layers.map((layer, k) =>
    ({...layer, at: k, wires: wiresOf(layer), arrays: data.names[k]}));
  const loss = {...data.loss, target: samples(decoded(data.loss.target), count)};
  return {layers, loss, count, images: samples(pixels, count), steps: data.steps,
          labels: data.labels, classes: data.classes, half: data.half,
          shapes: [layers.length ? layers[0].input : data.images.shape.slice(1),
                   ...layers.map(layer => layer.output)]};
}

function wiresOf(layer) {
  const y = [], x = [], w = [];
  KINDS[layer.kind].wires(layer, (...wire) => {
    y.push(wire[0]);
    x.push(wire[1]);
    w.push(wire[2]);
  });
  return {y: Int32Array.from(y), x: Int32Array.from(x), w: Int32Array.from(w)};
}

// A step's arrays by layer, and what was stored because it cannot be computed again to the bit.
function stored(network, s) {
  const step = network.steps[s];
  const params = network.layers.map((layer, k) => Object.fromEntries(
    Object.keys(layer.arrays).map(name => [name, decoded(step.params[`${k}.${name}`])])));
  const kept = step.kept.map(arrays => Object.fromEntries(
    Object.entries(arrays).map(([name, array]) =>
      [name, samples(decoded(array), network.count)])));
  return {params, kept};
}

// Everything of step s: forward, loss, backward, perhaps with a mistake.
function run(network, s, mistake) {
  const {params, kept} = stored(network, s);
  const values = [network.images], now = {network, step: s, params, kept, values};
  for (let k = 0; k < network.layers.length; k++) {
    kept[k] = {...keep(network.layers[k], values[k]), ...kept[k]};
    values.push(layerForward(network.layers[k], at(now, k)));
  }
  now.loss = lossOf(network, values.at(-1));
  return backward(now, mistake);
}

// What layer k sees of a run.
function at(now, k) {
  return {params: now.params[k], kept: now.kept[k], x: now.values[k], y: now.values[k + 1]};
}

function keep(layer, x) {
  const kind = KINDS[layer.kind];
  return kind.keep ? kind.keep(layer, x, layer.wires) : {};
}

function layerForward(layer, now) {
  const kind = KINDS[layer.kind], {wires} = layer;
  if (kind.forward) return kind.forward(layer, now, now.x);
  if (kind.curve) return now.x.map(sample => sample.map(x => kind.curve(x, layer)));
  return now.x.map((sample, n) => {
    const y = new Float64Array(size(layer.output));
    const factors = kind.factors(layer, now, n, wires);
    for (let wire = 0; wire < factors.length; wire++)
      y[wires.y[wire]] += factors[wire] * sample[wires.x[wire]];
    return kind.shift ? y.map((value, i) => value + kind.shift(layer, now, i)) : y;
  });
}

function lossOf({loss}, output) {
  return LOSSES[loss.kind].value(output, loss.target, loss.divisor);
}

// Up the list of layers again. mistake: one of `mistakes`, made at its place.
function backward(now, mistake) {
  const {network, values} = now, {layers, loss} = network;
  let dy = LOSSES[loss.kind].slope(values.at(-1), loss.target, loss.divisor);
  if (mistake && mistake.at === layers.length) dy = mistake.backward(dy);
  const slopes = [dy], grads = [];
  for (let k = layers.length - 1; k >= 0; k--) {
    let found = layerBackward(layers[k], at(now, k), dy);
    if (mistake && mistake.at === k) found = mistake.backward(layers[k], at(now, k), dy, found);
    dy = found.dx;
    slopes.unshift(dy);
    grads.unshift(found.grads);
  }
  return {...now, slopes, grads};
}

function layerBackward(layer, now, dy) {
  const kind = KINDS[layer.kind], {wires} = layer, grads = {};
  if (kind.backward) return kind.backward(layer, now, dy);
  const dx = zeros(now.x), {weight, bias} = now.params;
  if (weight) grads.weight = new Float64Array(weight.length);
  if (bias) grads.bias = new Float64Array(bias.length);
  dy.forEach((sample, n) => {
    const factors = kind.factors(layer, now, n, wires);
    for (let wire = 0; wire < factors.length; wire++) {
      const slope = sample[wires.y[wire]];
      dx[n][wires.x[wire]] += factors[wire] * slope;
      if (weight) grads.weight[wires.w[wire]] += now.x[n][wires.x[wire]] * slope;
    }
    if (bias) sample.forEach((slope, y) => { grads.bias[channel(y, layer.output)] += slope; });
  });
  return {dx, grads};
}

// The loss after array k (0 is the image) was replaced, or the parameters were: layers from k on.
// only: the one image in which something changed, so that the others need not be computed again.
function lossAfter(now, k, {values = now.values[k], params = now.params, only}) {
  const layers = now.network.layers.slice(k);
  const alone = only !== undefined && !layers.some(layer => layer.kind === "BatchNorm");
  const changed = batch => (alone ? [batch[only]] : batch);
  let x = changed(values);
  for (const layer of layers) {
    const {mask} = now.kept[layer.at];  // drawn, not decided: it stays
    const kept = mask ? {mask: changed(mask)} : keep(layer, x);
    x = layerForward(layer, {params: params[layer.at], kept, x});
  }
  const output = alone ? now.values.at(-1).map((sample, n) => (n === only ? x[0] : sample)) : x;
  return lossOf(now.network, output);
}

// A training step, forward and backward, in double precision.
//
// The network is a list of layers in the order of computation. Array 0 is the image, and layer k
// makes array k + 1 of those that it `reads`: of one, or where ways meet of several, one after the
// other. A run holds the values of each array (a list of samples), inputs, kept and params of each
// layer, the loss, and after `backward` slopes (∂L/∂ of the values), grads, and what each layer
// handed back. An array that several layers read gets the sum of what they hand back.

// The network of a data block, with each layer's wires, and the layers that read each array.
function prepared(data) {
  const count = data.images.shape[0];
  const pixels = decoded(data.images).map(v => (data.images.dtype === "u1" ? v / 255 : v));
  const layers = data.layers.map((layer, k) => ({...layer, at: k, wires: wiresOf(layer)}));
  const loss = {...data.loss, target: samples(decoded(data.loss.target), count)};
  const shapes = [data.images.shape.slice(1), ...layers.map(layer => layer.output)];
  return {layers, loss, count, shapes, images: samples(pixels, count), steps: data.steps,
          labels: data.labels, classes: data.classes, half: data.half,
          readers: shapes.map((_, k) => layers.filter(layer => layer.reads.includes(k)))};
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
  const params = network.layers.map(layer => Object.fromEntries(
    Object.keys(layer.arrays).map(name => [name, decoded(step.params[`${layer.name}.${name}`])])));
  const kept = step.kept.map(arrays => Object.fromEntries(
    Object.entries(arrays).map(([name, array]) =>
      [name, samples(decoded(array), network.count)])));
  const said = network.layers.map(({at: k}) =>
    step.said[k] && samples(decoded(step.said[k]), network.count));
  return {params, kept, said};
}

// Everything of step s: forward, loss, backward, perhaps with a mistake.
function run(network, s, mistake) {
  const {params, kept, said} = stored(network, s);
  const values = [network.images], inputs = [];
  const {optimizer: right} = network.steps[s], wrong = right && mistake && mistake.optimizer;
  const optimizer = wrong ? wrong(right) : right;
  const now = {network, step: s, params, kept, said, values, inputs, optimizer};
  for (const layer of network.layers) {
    inputs.push(joined(layer, values));
    kept[layer.at] = {...keep(layer, inputs[layer.at]), ...kept[layer.at]};
    values.push(layerForward(layer, at(now, layer.at)));
  }
  now.loss = lossOf(network, values.at(-1));
  return backward(now, mistake);
}

// What layer k sees of a run.
function at(now, k) {
  return {params: now.params[k], kept: now.kept[k], x: now.inputs[k], y: now.values[k + 1]};
}

// What a layer reads, sample by sample.
function joined({reads}, values) {
  if (reads.length === 1) return values[reads[0]];
  return values[reads[0]].map((_, n) => Float64Array.from(reads.flatMap(k => [...values[k][n]])));
}

// The array and the place in it of a layer's x-th number, and the other way round: a layer may read
// an array twice.
function source({shapes}, {reads}, x) {
  for (const k of reads) {
    if (x < size(shapes[k])) return {k, i: x};
    x -= size(shapes[k]);
  }
}

function places({shapes}, {reads}, k, i) {
  const found = [];
  let start = 0;
  for (const one of reads) {
    if (one === k) found.push(start + i);
    start += size(shapes[one]);
  }
  return found;
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
    return kind.shift ? y.map((value, i) => value + kind.shift(layer, now, i, n)) : y;
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
  const slopes = [...values.slice(0, -1).map(zeros), dy], grads = [], handed = [];
  for (const layer of [...layers].reverse()) {
    const k = layer.at, seen = at(now, k);
    let found = layerBackward(layer, seen, slopes[k + 1]);
    if (mistake && mistake.at === k) found = mistake.backward(layer, seen, slopes[k + 1], found);
    found.dx.forEach((sample, n) => parts(network, layer, sample).forEach((part, j) =>
      part.forEach((slope, i) => { slopes[layer.reads[j]][n][i] += slope; })));
    handed[k] = found.dx;
    grads[k] = found.grads;
  }
  return {...now, slopes, grads, handed, backs: []};
}

// A sample of what a layer reads, or hands back, cut into its arrays.
function parts({shapes}, {reads}, sample) {
  let start = 0;
  return reads.map(k => sample.subarray(start, start += size(shapes[k])));
}

function layerBackward(layer, now, dy) {
  const kind = KINDS[layer.kind];
  return kind.backward ? kind.backward(layer, now, dy)
                       : backThroughWires(layer, now, dy, now.params);
}

function backThroughWires(layer, now, dy, {weight, bias}) {
  const kind = KINDS[layer.kind], {wires} = layer, grads = {}, dx = zeros(now.x);
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

// The loss after array k was replaced, or the parameters of layer k were. only: the one image in
// which something changed, so that the others need not be computed again.
function lossAfter(now, k, {values, params = now.params, only}) {
  const {network} = now, layers = network.layers.slice(k), fresh = [...now.values];
  const alone = only !== undefined && !layers.some(layer => layer.kind === "BatchNorm");
  const changed = batch => (alone ? [batch[only]] : batch);
  if (values) fresh[k] = values;
  for (const layer of layers) {
    const l = layer.at, same = layer.reads.every(one => fresh[one] === now.values[one]);
    if (same && params[l] === now.params[l]) continue;
    const x = joined(layer, fresh.map(changed));
    const kept = KINDS[layer.kind].keep ? keep(layer, x)  // else drawn, not decided: it stays
      : Object.fromEntries(Object.entries(now.kept[l]).map(([name, one]) => [name, changed(one)]));
    const y = layerForward(layer, {params: params[l], kept, x});
    fresh[l + 1] = alone ? now.values[l + 1].map((sample, n) => (n === only ? y[0] : sample)) : y;
  }
  return lossOf(network, fresh.at(-1));
}

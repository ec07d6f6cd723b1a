// Arrays: how the data block holds them, and where a number stands in a shape.

const READERS = {u1: Uint8Array, b1: Uint8Array, i4: Int32Array, i8: BigInt64Array,
                 f2: Uint16Array, f4: Float32Array, f8: Float64Array};

// Base64 of little-endian numbers, as a Float64Array.
function decoded({dtype, data}) {
  const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
  return Float64Array.from(new READERS[dtype](bytes.buffer), dtype === "f2" ? half : Number);
}

// A float16 from its bits: a sign, five of the exponent, ten of the fraction.
function half(bits) {
  const exponent = bits >> 10 & 31, fraction = (bits & 1023) / 1024, sign = bits >> 15 ? -1 : 1;
  return sign * (exponent ? (1 + fraction) * 2 ** (exponent - 15) : fraction * 2 ** -14);
}

function size(shape) {
  return shape.reduce((product, n) => product * n, 1);
}

// Where number i stands, row-major: one index for each axis.
function position(i, shape) {
  const found = [];
  for (const n of [...shape].reverse()) {
    found.unshift(i % n);
    i = Math.floor(i / n);
  }
  return found;
}

// A batch as a list of its samples.
function samples(array, count) {
  const each = array.length / count;
  return Array.from({length: count}, (_, n) => array.slice(n * each, (n + 1) * each));
}

function sum(array) {
  let total = 0;
  for (const value of array) total += value;
  return total;
}

function zeros(batch) {
  return batch.map(sample => new Float64Array(sample.length));
}

// Trained networks, layer by layer: what Keras computes, in plain loops. A tensor is a Float32Array
// `data` of height `h`, width `w` and channels `c`, which come last, as they do in the weights.
// Numbers of 16 bits (IEEE 754), little-endian, as base64.
function halves(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  return Float32Array.from(new Uint16Array(bytes.buffer), (bits) => {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction;
    return bits >> 15 ? -size : size;
  });
}

// Each layer of a network gets its part of the weights.
function unpack(network) {
  const all = halves(network.weights);
  let place = 0;
  for (const layer of network.layers) {
    [layer.kernel, layer.bias] = layer.counts.map((n) => all.subarray(place, (place += n)));
  }
}

// How many places a window of size k has on n pixels at a stride, and where the first one begins.
function windows(n, k, stride, same) {
  if (!same) return [Math.floor((n - k) / stride) + 1, 0];
  const count = Math.ceil(n / stride);
  return [count, -Math.floor(Math.max((count - 1) * stride + k - n, 0) / 2)];
}

function convolve(x, { size: k, kernel, bias, same }) {
  const [h, top] = windows(x.h, k, 1, same), [w, left] = windows(x.w, k, 1, same);
  const filters = bias.length, data = new Float32Array(h * w * filters);
  for (let row = 0; row < h; row++) for (let column = 0; column < w; column++) {
    const out = data.subarray((row * w + column) * filters, (row * w + column + 1) * filters);
    out.set(bias);
    for (let dy = 0; dy < k; dy++) for (let dx = 0; dx < k; dx++) {
      const y = top + row + dy, z = left + column + dx;
      if (y < 0 || z < 0 || y >= x.h || z >= x.w) continue; // zeros around the image
      for (let c = 0; c < x.c; c++) {
        const value = x.data[(y * x.w + z) * x.c + c];
        if (!value) continue; // half of all after ReLU
        const from = ((dy * k + dx) * x.c + c) * filters;
        for (let f = 0; f < filters; f++) out[f] += value * kernel[from + f];
      }
    }
  }
  return { data, h, w, c: filters };
}

function pool(x, { size: k, same }) {
  const [h, top] = windows(x.h, k, k, same), [w, left] = windows(x.w, k, k, same);
  const data = new Float32Array(h * w * x.c).fill(-Infinity);
  for (let y = 0; y < x.h; y++) for (let z = 0; z < x.w; z++) {
    const row = Math.floor((y - top) / k), column = Math.floor((z - left) / k);
    if (row >= h || column >= w) continue; // a rim that no window reaches
    for (let c = 0; c < x.c; c++) {
      const place = (row * w + column) * x.c + c;
      data[place] = Math.max(data[place], x.data[(y * x.w + z) * x.c + c]);
    }
  }
  return { data, h, w, c: x.c };
}

function dense(x, { kernel, bias }) {
  const data = Float32Array.from(bias), units = bias.length;
  x.data.forEach((value, k) => {
    if (value) for (let u = 0; u < units; u++) data[u] += value * kernel[k * units + u];
  });
  return { data, h: 1, w: 1, c: units };
}

// The logits of an unpacked network for an image, bytes of SIDE x SIDE pixels.
function logits(network, image) {
  const steps = { convolve, pool, dense };
  let x = { data: Float32Array.from(image, (value) => value / 255), h: SIDE, w: SIDE, c: 1 };
  for (const layer of network.layers) {
    x = steps[layer.step](x, layer);
    if (layer.relu) x.data.forEach((value, k) => (x.data[k] = Math.max(value, 0)));
  }
  return [...x.data];
}

// Probabilities of logits, divided by a temperature before.
function softmax(values, temperature = 1) {
  const most = Math.max(...values);
  const powers = values.map((value) => Math.exp((value - most) / temperature));
  const sum = powers.reduce((total, power) => total + power);
  return powers.map((power) => power / sum);
}

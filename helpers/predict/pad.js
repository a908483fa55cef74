// A pad to draw one character on, and what makes its strokes an image like those of a data set.
// The report's script and the notebook's widget both include this file as it is.
const PAD = 280; // pixels of the pad, from edge to edge
const SIDE = 28; // pixels of an image
const LONG = { mass: 20, box: 24, fill: 28 }; // long side by rule: MNIST, EMNIST, Kuzushiji
const PEN = PAD / 8; // width of a stroke, once a drawing is as large as the pad

// Draws strokes, lists of [x, y], with round ends.
function draw(pen, strokes, width) {
  pen.lineCap = pen.lineJoin = "round";
  pen.lineWidth = width;
  pen.beginPath();
  for (const points of strokes) {
    pen.moveTo(...points[0]);
    for (const point of points) pen.lineTo(...point); // a point alone becomes a dot
  }
  pen.stroke();
}

// A pad on a canvas, for mouse, pen and touch; `changed()` is called as the `strokes` on it grow.
// `show(image)` empties it, or shows an image until one draws, which `open: false` forbids.
function pad(canvas, changed) {
  const pen = canvas.getContext("2d"), strokes = [];
  const self = { strokes, show, redraw, open: true };
  let pointer = null, shown = null;
  canvas.width = canvas.height = 2 * PAD; // sharp on fine screens, too
  canvas.style.touchAction = "none";
  pen.scale(2, 2);
  function redraw() {
    pen.clearRect(0, 0, PAD, PAD);
    pen.strokeStyle = pen.fillStyle = getComputedStyle(canvas).color;
    const step = PAD / SIDE;
    shown?.forEach((value, k) => {
      pen.globalAlpha = value / 255;
      pen.fillRect((k % SIDE) * step, Math.floor(k / SIDE) * step, step, step);
    });
    pen.globalAlpha = 1;
    draw(pen, strokes, 20);
  }
  function grow(events) {
    const box = canvas.getBoundingClientRect(), scale = PAD / box.width;
    for (const { clientX: x, clientY: y } of events) {
      strokes.at(-1).push([(x - box.left) * scale, (y - box.top) * scale]);
    }
    redraw();
    changed();
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (pointer !== null || event.button > 0 || !self.open) return;
    [pointer, shown] = [event.pointerId, null];
    if (event.isTrusted) canvas.setPointerCapture(pointer); // a stroke may leave the pad
    strokes.push([]);
    grow([event]);
  });
  canvas.addEventListener("pointermove", (event) => {
    const between = event.getCoalescedEvents?.() ?? [];
    if (event.pointerId === pointer) grow(between.length ? between : [event]);
  });
  const end = (event) => event.pointerId === pointer && (pointer = null);
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, end);
  function show(image = null) {
    [pointer, shown] = [null, image];
    strokes.length = 0;
    redraw();
  }
  return self;
}

// Strokes as PAD x PAD grey values, light on dark, row by row: at one size and with one pen however
// small they were drawn, for the images of a data set know one pen.
function ink(strokes) {
  const points = strokes.flat(), least = [0, 1].map((k) => Math.min(...points.map((p) => p[k])));
  const long = Math.max(...points.flatMap((p) => p.map((value, k) => value - least[k])));
  const scale = long > 10 ? (PAD - PEN - 4) / long : 1; // a dot stays a dot
  const place = (p) => p.map((value, k) => (value - least[k]) * scale + PEN / 2 + 2);
  const canvas = Object.assign(document.createElement("canvas"), { width: PAD, height: PAD });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.fillRect(0, 0, PAD, PAD);
  pen.strokeStyle = "#fff";
  draw(pen, strokes.map((stroke) => stroke.map(place)), PEN);
  return pen.getImageData(0, 0, PAD, PAD).data.filter((_, k) => k % 4 === 0);
}

// Grey values, row by row, as an image of a data set, SIDE x SIDE bytes: `prepare` of
// helpers/predict/pictures.py, which says why each step is as it is.
function prepare(values, height, width, rule) {
  const image = new Uint8Array(SIDE * SIDE), sum = (all) => all.reduce((a, b) => a + b, 0);
  const rows = Array.from({ length: height }, (_, y) => values.slice(y * width, (y + 1) * width));
  const most = values.reduce((a, b) => Math.max(a, b), 0), inked = (value) => value > 0.2 * most;
  const filled = rows.map((row) => row.some(inked));
  const columns = Array.from({ length: width }, (_, x) => rows.some((row) => inked(row[x])));
  const top = filled.indexOf(true), h = filled.lastIndexOf(true) + 1 - top;
  const left = columns.indexOf(true), w = columns.lastIndexOf(true) + 1 - left;
  if (top < 0) return image;
  const length = (n) => Math.max(1, Math.floor((n * LONG[rule]) / Math.max(h, w) + 0.5));
  const across = parts(length(w), w), down = parts(length(h), h);
  const mean = (part, of) => sum(part.map(([place, share]) => share * of(place)));
  const cut = rows.slice(top, top + h).map((row) => row.slice(left, left + w));
  const narrow = cut.map((row) => across.map((p) => mean(p, (x) => row[x])));
  const small = down.map((p) => across.map((_, x) => mean(p, (y) => narrow[y][x])));
  const gain = 255 / Math.max(...small.flat());
  const offset = (sums) => {
    if (rule !== "mass") return Math.floor((SIDE - sums.length) / 2);
    const centre = sum(sums.map((value, k) => k * value)) / sum(sums);
    return Math.min(Math.max(Math.floor(14.5 - centre + 1e-9), 0), SIDE - sums.length);
  };
  const y0 = offset(small.map(sum)), x0 = offset(across.map((_, x) => sum(small.map((r) => r[x]))));
  small.forEach((row, y) => {
    image.set(row.map((value) => Math.floor(value * gain + 0.5)), (y0 + y) * SIDE + x0);
  });
  return image;
}

// Averaging m values down to n: for each of them the [place, share] of those that it covers.
function parts(n, m) {
  return Array.from({ length: n }, (_, k) => {
    const [from, to] = [(k * m) / n, ((k + 1) * m) / n], first = Math.floor(from);
    return Array.from({ length: Math.ceil(to) - first }, (_, more) => {
      const place = first + more, share = Math.min(to, place + 1) - Math.max(from, place);
      return [place, (share * n) / m];
    });
  });
}

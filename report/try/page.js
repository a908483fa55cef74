// The section "Try it": draw a character or take a test image, and see what networks make of it.
function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// An image of SIDE x SIDE bytes as the address of a picture.
function address(image) {
  const canvas = make("canvas", { width: SIDE, height: SIDE }), pen = canvas.getContext("2d");
  const pixels = pen.createImageData(SIDE, SIDE);
  image.forEach((value, k) => pixels.data.set([value, value, value, 255], 4 * k));
  pen.putImageData(pixels, 0, 0);
  return canvas.toDataURL();
}

// An image moved by whole pixels, with black where nothing was.
function moved(image, right, down) {
  return image.map((_, k) => {
    const x = (k % SIDE) - right, y = Math.floor(k / SIDE) - down;
    return x >= 0 && y >= 0 && x < SIDE && y < SIDE ? image[y * SIDE + x] : 0;
  });
}

function percent(share) {
  return share > 0.995 ? "> 99 %" : share < 0.005 ? "< 1 %" : `${Math.round(100 * share)} %`;
}

// A table, a row a class and a column a network; its `fill` shows the answers to an image, or none,
// and returns for each network the class that wins and how sure one may be of it.
function answers(set, networks) {
  const row = (title, cells) => make("tr", {}, make("th", { scope: "row" }, title), ...cells);
  const bars = set.classes.map(() => networks.map(() => [make("i"), make("b"), make("span")]));
  const cell = (parts) => make("td", {}, make("div", {}, ...parts));
  const note = (title, text) => row(title, networks.map((one) => make("td", {}, text(one))));
  const size = (one) => make("small", {}, `${one.parameters.toLocaleString("en")} parameters`);
  const heads = networks.map((one) => make("th", { scope: "col" }, one.name, size(one)));
  const corner = make("th", { scope: "col" }, set.one), many = bars.length > 12 ? "many" : "";
  const table = make("table", { className: many },
    make("caption", {}, set.data), make("thead", {}, make("tr", {}, corner, ...heads)),
    make("tbody", {}, ...bars.map((parts, k) => row(set.classes[k], parts.map(cell)))),
    make("tfoot", {}, note("accuracy", (one) => `${(100 * one.accuracy).toFixed(1)} %`),
      note("temperature", (one) => one.temperature.toFixed(1))));
  table.fill = (image) => networks.map((network, n) => {
    const values = image && logits(network, image), none = set.classes.map(() => 0);
    const [may, is] = [network.temperature, 1].map((t) => (values ? softmax(values, t) : none));
    const best = may.indexOf(Math.max(...may));
    bars.forEach((all, k) => {
      const [filled, line, text] = all[n];
      [filled.style.width, line.style.left] = [`${100 * may[k]}%`, `${100 * is[k]}%`];
      text.textContent = may[k] < 0.005 ? "" : percent(may[k]);
      filled.parentNode.className = !image || is[k] < 0.005 ? "" : k === best ? "best" : "some";
    });
    return { best, sure: may[best] };
  });
  return table;
}

// What the networks say, in a sentence.
function verdict(set, networks, found) {
  const sure = found.map((one) => percent(one.sure));
  const names = found.map((one) => set.classes[one.best]);
  if (new Set(names).size > 1) {
    return names.map((name, n) => `${networks[n].name}: ${name} (${sure[n]})`).join(" · ");
  }
  return `${["", "It says", "Both say", "All say"][found.length]} ${names[0]} (${sure.join(", ")})`;
}

function tryIt(place, { sets, networks: known }) {
  let set, networks, table, example, right, down;
  const button = (sign, title, onclick) =>
    make("button", { type: "button", title, ariaLabel: title, onclick }, sign);
  const canvas = make("canvas", { role: "img" }), seen = make("img"), which = make("span");
  const clear = make("button", { type: "button", onclick: () => show(null) }, "Clear");
  const far = make("p", { role: "status" }), output = make("output");
  const answered = make("div", { className: "answers" });
  const drawing = pad(canvas, () => {
    if (example !== null) [example, right, down] = [null, 0, 0];
    update();
  });
  function image() {
    const size = SIDE * SIDE;
    if (example !== null) return set.images.subarray(example * size, (example + 1) * size);
    return drawing.strokes.length ? prepare(ink(drawing.strokes), PAD, PAD, set.rule) : null;
  }
  function update() {
    const plain = image(), now = plain && moved(plain, right, down), found = table.fill(now);
    seen.src = address(now ?? new Uint8Array(SIDE * SIDE));
    seen.alt = now ? "What the networks see, 28 by 28 pixels" : "Nothing to see yet";
    output.textContent = now ? verdict(set, networks, found) : `Draw a ${set.one}.`;
    if (now) output.dataset.class = set.classes[found.at(-1).best];
    else delete output.dataset.class;
    const ways = [[right, "right"], [-right, "left"], [down, "down"], [-down, "up"]];
    far.textContent = ways.filter(([n]) => n > 0).map((way) => way.join(" px ")).join(", ");
    const truth = example === null ? "" : set.classes[set.labels[example]];
    which.textContent = truth ? `test image ${example + 1}: ${truth}` : "test images";
    canvas.ariaLabel = truth ? `Test image: ${truth}` : "Pad to draw on";
  }
  function show(next) {
    [example, right, down] = [next, 0, 0];
    drawing.show(next === null ? null : image());
    update();
  }
  const walk = (step, count = set.labels.length) =>
    show(((example ?? Math.min(-step, 0)) + step + count) % count);
  function shift(x, y) {
    const to = (n, step) => Math.max(-9, Math.min(9, n + step));
    [right, down] = x || y ? [to(right, x), to(down, y)] : [0, 0];
    update();
  }
  function choose(next) {
    [set, networks] = [next, next.networks.map((run) => known[run])];
    answered.replaceChildren((table = answers(set, networks)));
    [drawing.open, clear.disabled] = [Boolean(set.rule), !set.rule];
    canvas.className = set.rule ? "open" : "";
    show(0);
  }
  Object.values(known).forEach(unpack);
  for (const one of sets) one.images = Uint8Array.from(atob(one.images), (s) => s.charCodeAt(0));
  const radio = (one, n) =>
    make("input", { type: "radio", name: "set", checked: !n, onchange: () => choose(one) });
  const choices = sets.map((one, n) => make("label", {}, radio(one, n), one.title));
  const ways = [["↑", "Shift up", 0, -1], ["←", "Shift left", -1, 0], ["·", "Back", 0, 0],
    ["→", "Shift right", 1, 0], ["↓", "Shift down", 0, 1]];
  const cross = ways.map(([sign, title, x, y]) => button(sign, title, () => shift(x, y)));
  place.replaceChildren(
    make("fieldset", {}, make("legend", {}, "Images"), ...choices),
    make("div", { className: "pad" }, canvas,
      make("div", {}, clear, button("‹", "Previous test image", () => walk(-1)), which,
        button("›", "Next test image", () => walk(1)))),
    make("div", { className: "seen" }, seen, make("p", {}, "what the networks see"),
      make("div", { className: "cross" }, ...cross), far),
    output, answered);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawing.redraw);
  choose(sets[0]);
}

const carried = document.querySelector("template#networks").content.textContent;
tryIt(document.querySelector("div#try"), JSON.parse(carried));

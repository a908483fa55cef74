
// The pad in JupyterLab: after each stroke its grey values go to Python, which answers beside it.
function render({ model, el }) {
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const canvas = make("canvas", { ariaLabel: "Pad to draw on" });
  const drawing = pad(canvas, () => {});
  const send = (pixels) => {
    model.set("pixels", pixels);
    model.save_changes();
  };
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, () => {
      if (drawing.strokes.length) send(new DataView(ink(drawing.strokes).buffer));
    });
  }
  const onclick = () => {
    drawing.show();
    send(null);
  };
  el.classList.add("pad");
  el.append(canvas, make("button", { type: "button", textContent: "Clear", onclick }));
}

export default { render };

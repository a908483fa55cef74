"""The pad of notebook 12: a widget around pad.js, the drawing code of the report's page."""

from pathlib import Path

import anywidget
import numpy as np
import traitlets
from IPython.display import display
from ipywidgets import HBox, Layout, Output

from helpers.predict.pictures import prepare

HERE = Path(__file__).parent
PAD = 280  # pixels of the pad, as in pad.js


class Pad(anywidget.AnyWidget):
    """A pad to draw on. `pixels`: after each stroke the drawing as PAD * PAD grey values, light on
    dark, row by row, a buffer of bytes; None once it is cleared."""

    _esm = "".join((HERE / name).read_text(encoding="utf-8") for name in ("pad.js", "widget.js"))
    _css = (HERE / "widget.css").read_text(encoding="utf-8")
    pixels = traitlets.Any(None, allow_none=True).tag(sync=True)  # `Bytes` refuses what arrives

    def picture(self, rule):
        """The drawing as an image of a data set, by a rule of `prepare`: uint8 (28, 28)."""
        return prepare(np.frombuffer(self.pixels, "uint8").reshape(PAD, PAD), rule)


def beside(rule, look):
    """A `Pad`, and right of it what `look(picture)` returns after each stroke."""
    pad, shown = Pad(), Output(layout=Layout(margin="0 0 0 20px", flex="1"))

    def drawn(_):
        shown.clear_output(wait=pad.pixels is not None)
        if pad.pixels is not None:
            with shown:  # what goes wrong is shown there, too
                display(look(pad.picture(rule)))

    pad.observe(drawn, "pixels")
    return HBox([pad, shown])

"""What a network makes of one picture, as a notebook shows it. Notebook 12."""

import base64
import io
from dataclasses import dataclass
from html import escape

import numpy as np

BAR = "background: #0072B2; height: .8em; width: {:.0f}px"
SIDE = "width: 92px; height: 92px; image-rendering: pixelated"
ROW = "display: flex; gap: .8em; flex-wrap: wrap; margin: .5em 0"


@dataclass
class Answer:
    """The most probable classes of a picture, and whatever else is given, for people.

    picture: uint8 (height, width); names, shares: of all classes, (classes,); heat: Grad-CAM,
    float (h, w) in [0, 1]; near: the nearest training images as (image, name, distance); farther:
    the share of test images that lie farther from theirs; unlike: where it is less than that, the
    picture is called unlike all that was learnt.
    """

    picture: np.ndarray
    names: list
    shares: np.ndarray
    heat: np.ndarray | None = None
    near: list | tuple = ()
    farther: float | None = None
    unlike: float = 0.01

    @property
    def best(self):
        """(name, probability) of the three most probable classes."""
        order = np.argsort(-self.shares, kind="stable")[:3]
        return [(self.names[k], float(self.shares[k])) for k in order]

    @property
    def word(self):
        """How the picture differs from the training images; "" where that is not known."""
        if self.farther is None:
            return ""
        told = f"Its nearest training image is {self.near[0][2]:.3f} away; {_percent(self.farther)}"
        told += " of the test images are farther from theirs."
        return f"Nothing like this was learnt. {told}" if self.farther < self.unlike else told

    def __repr__(self):
        named = (f"{name}: {_percent(share)}" for name, share in self.best)
        return f"{', '.join(named)}. {self.word}".strip()

    def _repr_html_(self):
        pictures = [(self.picture, "what the network sees")]
        if self.heat is not None:
            pictures.append((_warmed(self.picture, self.heat), "where the evidence lies"))
        pictures += [(image, f"{name}, {gap:.3f} away") for image, name, gap in self.near]
        bars = (
            f"<tr><td>{escape(name)}</td><td>{escape(_percent(share))}</td>"
            f'<td><div style="{BAR.format(160 * share)}"></div></td></tr>'
            for name, share in self.best
        )
        shown = "".join(_figure(image, text) for image, text in pictures)
        table = f'<table style="margin: 0"><tbody>{"".join(bars)}</tbody></table>'
        return f'{table}<div style="{ROW}">{shown}</div><div>{escape(self.word)}</div>'


def _percent(share):  # 99.97 % must not read as certainty
    return f"{100 * share:.1f} %" if share < 0.9995 else ">99.9 %"


def _warmed(picture, heat):
    """A picture, uint8 (h, w), under its heat map: uint8 (h, w, 3)."""
    from matplotlib import colormaps
    from PIL import Image

    size = picture.shape[::-1]
    large = np.asarray(Image.fromarray(np.float32(heat)).resize(size, Image.Resampling.BILINEAR))
    colours = colormaps["inferno"](large)[..., :3]
    return np.uint8(255 * (0.6 * colours + 0.4 * picture[..., None] / 255))


def _figure(image, text):
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    address = f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
    caption = f'<figcaption style="font-size: 85%">{escape(text)}</figcaption>'
    picture = f'<img src="{address}" alt="{escape(text)}" style="{SIDE}">'
    return f'<figure style="margin: 0; width: 92px">{picture}{caption}</figure>'

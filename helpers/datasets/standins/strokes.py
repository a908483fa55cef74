"""Digits, letters and hiragana in the single-stroke Hershey fonts, each image in a hand of its own.

A character is drawn a few times per font with its strokes slightly moved; each of these is kept as a field of distances
to the pen's path. An image samples one field through a random affine and elastic warp, and inks what lies within half a
pen's width.
"""

import numpy as np

from helpers.datasets.standins import shapes

# Twelve hands: plain, cursive and book alphabets. Those with doubled lines look like a broad pen at 28 pixels.
LATIN = (
    "futural",
    "futuram",
    "rowmans",
    "rowmand",
    "rowmant",
    "cursive",
    "scripts",
    "scriptc",
    "timesi",
    "timesib",
    "timesr",
    "timesrb",
)
# The font's kana stand in the order of the sounds, with い え う again where ya, wa have gaps.
KANA = dict(
    zip(
        "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもや\0ゆ\0よらりるれろわゐ\0ゑをん",
        range(65, 116),
    )
)
# The iteration mark is not in the font: a short entry, a turn, and a tapering hook.
ITERATION_MARK = [
    [(-5, -8), (-3, -6), (1, -3), (4, 0), (5, 3), (4, 6), (1, 9), (-3, 11)],
    [(-5, -8), (-4, -6), (0, -3), (3, 0), (4, 3), (3, 6), (0, 9), (-3, 11)],
]

FIELD = 60  # points along a side of a distance field ...
REACH = 1.5  # ... that spans -REACH to REACH, where the character's longer side spans -1 to 1
HALF = 9.5  # half the character's size in pixels, as in MNIST


def draw(rng, labels, alphabet, size=28, *, variants=4, wobble=0.04, **warp):
    """Draw one image a label: uint8 (n, size, size), light ink on black.

    `alphabet` holds for each class the list of (font, character) that may stand for it. `variants` is how often each is
    drawn with its strokes moved, by a normal `wobble` in units of half the character; `warp`: see `shapes.warped_grid`.
    """
    from scipy.ndimage import map_coordinates

    fonts = {font for group in alphabet for font, _ in group}
    glyphs = {font: _glyphs(font) for font in sorted(fonts)}
    fields, owner = [], []
    for label, group in enumerate(alphabet):
        for font, character in group:
            for _ in range(variants):
                fields.append(_field(_moved(rng, glyphs[font][character], wobble)))
                owner.append(label)
    fields, owner = np.array(fields), np.array(owner)
    which = np.empty(len(labels), int)
    for label in range(len(alphabet)):
        here = np.flatnonzero(labels == label)
        which[here] = rng.choice(np.flatnonzero(owner == label), len(here))

    images = np.empty((len(labels), size, size), "uint8")
    for start in range(0, len(labels), 500):
        part = which[start : start + 500]
        x, y, scale = shapes.warped_grid(rng, len(part), size, **warp)
        to_index = (FIELD - 1) / (2 * REACH)
        row, column = ((at / HALF + REACH) * to_index for at in (y, x))
        where = [np.broadcast_to(part[:, None, None], x.shape), row, column]
        distance = map_coordinates(fields, where, order=1, mode="nearest") * HALF * scale
        images[start : start + 500] = shapes.to_bytes(_ink(rng, distance))
    return images


def latin(characters):
    """One class's (font, character) pairs: each of `characters` in each of the twelve hands."""
    return [(font, character) for font in LATIN for character in characters]


def _ink(rng, distance):
    """Ink of a random pen: width, softness of the edge, pressure that changes along the way, and a little grain."""
    n, size = distance.shape[:2]
    half_width = rng.uniform(0.7, 1.6, (n, 1, 1)) * (
        1 + 0.18 * shapes.smooth_noise(rng, n, size, 4)
    )
    soft = rng.uniform(0.8, 1.6, (n, 1, 1))
    ink = np.clip((half_width - distance) / soft + 0.5, 0, 1)
    ink *= rng.uniform(0.85, 1.1, (n, 1, 1)) * (1 + 0.1 * shapes.smooth_noise(rng, n, size, 7))
    return ink + (0.15 * ink + 0.02) * rng.normal(0, 0.4, ink.shape)


def _glyphs(font):
    """{character: list of strokes (points, 2)} of one font, y downwards."""
    from HersheyFonts import HersheyFonts

    book = HersheyFonts(load_default_font=font)
    glyphs = {
        character: [np.array(stroke, float) for stroke in glyph.strokes if len(stroke) > 1]
        for character, glyph in book.all_glyphs.items()
    }
    if font == "japanese":
        glyphs = {kana: glyphs[chr(code)] for kana, code in KANA.items()}
        glyphs["ゝ"] = [np.array(stroke, float) for stroke in ITERATION_MARK]
    return glyphs


def _moved(rng, strokes, wobble):
    """The strokes, scaled so that the longer side spans -1 to 1, each moved, turned and resized a little."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    moved = []
    for stroke in strokes:
        stroke = (stroke - (low + high) / 2) / (high - low).max() * 2
        middle = stroke.mean(0)
        turn, grow = rng.normal(0, wobble), 1 + rng.normal(0, wobble)
        dx, dy = (stroke - middle).T * grow
        moved.append(
            np.stack([dx - turn * dy, dy + turn * dx], axis=1) + middle + rng.normal(0, wobble, 2)
        )
    return moved


def _field(strokes):
    """Distance from each point of the field to the nearest stroke: (FIELD, FIELD)."""
    ends = np.concatenate([np.hstack([stroke[:-1], stroke[1:]]) for stroke in strokes])
    x0, y0, x1, y1 = ends.T[:, :, None, None]
    along = np.linspace(-REACH, REACH, FIELD)
    return -shapes.capsule(along[None, None, :], along[None, :, None], x0, y0, x1, y1, 0.0).max(0)

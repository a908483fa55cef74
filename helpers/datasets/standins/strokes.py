"""Digits, letters and hiragana in the single-stroke Hershey fonts, each image in its own hand.

A character is drawn a few times a font with its strokes slightly moved; each of these is kept as a
field of distances to the pen's path. An image samples a field through a random warp and inks what
lies within half a pen's width.
"""

import numpy as np

from helpers.datasets.standins import shapes

# Twelve hands: plain, cursive, book. Those with doubled lines look like a broad pen at 28 pixels.
PLAIN = ("futural", "futuram", "rowmans", "rowmand", "rowmant")
LATIN = (*PLAIN, *"cursive scripts scriptc timesi timesib timesr timesrb".split())
# The font's kana stand in the order of the sounds, with い え う again where ya, wa have gaps.
SOUNDS = "あいうえおかきくけこさしすせそたちつてとなにぬねの"
SOUNDS += "はひふへほまみむめもや.ゆ.よらりるれろわゐ.ゑをん"
# The iteration mark is not in the font: a short entry, a turn, and a tapering hook.
ITERATION_MARK = [
    [(-5, -8), (-3, -6), (1, -3), (4, 0), (5, 3), (4, 6), (1, 9), (-3, 11)],
    [(-5, -8), (-4, -6), (0, -3), (3, 0), (4, 3), (3, 6), (0, 9), (-3, 11)],
]
HALF = 9.5  # half the character's size in pixels, as in MNIST
# How far images of a class differ; see `shapes.warped_grid`. Many classes leave less room than ten.
NARROW = dict(rotation=14, shear=0.3, scale=(0.9, 1.1), stretch=(0.8, 1.12), shift=0.7, elastic=0.9)
WIDE = dict(rotation=24, shear=0.4, scale=(0.8, 1.1), stretch=(0.75, 1.15), shift=1.5, elastic=1.1)


def draw(rng, labels, alphabet, variants, wobble, warp):
    """One image a label: uint8 (n, 28, 28), light ink on black.

    `alphabet` holds for each class the (font, character) pairs that may stand for it. `variants` is
    how often each is drawn with its strokes moved, by a normal `wobble` in halves of a character.
    """
    fonts = sorted({font for forms in alphabet for font, _ in forms})
    glyphs = {font: _glyphs(font) for font in fonts}
    fields = [
        [_field(rng, glyphs[font][character], wobble) for font, character in forms * variants]
        for forms in alphabet
    ]

    def ink(far, x, y, scale):
        return _ink(rng, far * HALF * scale)

    return shapes.warped(rng, fields, labels, HALF, ink, **warp)


def _ink(rng, distance):
    """Ink of a random pen: width, soft edge, pressure that changes on the way, a little grain."""
    n, size = distance.shape[:2]
    width = rng.uniform(0.7, 1.6, (n, 1, 1)) * (1 + 0.18 * shapes.smooth_noise(rng, n, size, 4))
    ink = np.clip((width - distance) / rng.uniform(0.8, 1.6, (n, 1, 1)) + 0.5, 0, 1)
    ink *= rng.uniform(0.85, 1.1, (n, 1, 1)) * (1 + 0.1 * shapes.smooth_noise(rng, n, size, 7))
    return ink + (0.15 * ink + 0.02) * rng.normal(0, 0.4, ink.shape)


def _glyphs(font):
    """{character: list of strokes (points, 2)} of one font, y downwards."""
    from HersheyFonts import HersheyFonts

    book = HersheyFonts(load_default_font=font).all_glyphs
    glyphs = {character: glyph.strokes for character, glyph in book.items()}
    if font == "japanese":
        glyphs = {kana: glyphs[chr(65 + place)] for place, kana in enumerate(SOUNDS)}
        glyphs["ゝ"] = ITERATION_MARK
    return glyphs


def _field(rng, strokes, wobble):
    """Distance to the nearest stroke, each moved, turned and resized a little: (FIELD, FIELD)."""
    strokes = [np.array(stroke, float) for stroke in strokes if len(stroke) > 1]
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    pieces = []
    for stroke in strokes:
        stroke = (
            (stroke - (low + high) / 2) / (high - low).max() * 2
        )  # the longer side from -1 to 1
        middle = stroke.mean(0)
        (a, b), move = rng.normal((1, 0), wobble), rng.normal(0, wobble, 2)
        pieces.append(shapes.path((stroke - middle) @ [[a, b], [-b, a]] + middle + move))
    return shapes.distance(shapes.GRID[None, :], shapes.GRID[:, None], np.concatenate(pieces))

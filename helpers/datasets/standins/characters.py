"""Digits, letters and hiragana in the single-stroke Hershey fonts, each image in its own hand."""

from functools import cache

import numpy as np

from helpers.datasets.catalogue import SOUNDS
from helpers.datasets.standins import drawing

# Twelve hands: plain, cursive, book. Those with doubled lines look like a broad pen at 28 pixels.
LATIN = "futural futuram rowmans rowmand rowmant cursive scripts scriptc".split()
LATIN += "timesi timesib timesr timesrb".split()
# The iteration mark is not in the font: a short entry, a turn, and a hook.
ITERATION_MARK = [[(-5, -8), (-3, -6), (1, -3), (4, 0), (5, 3), (4, 6), (1, 9), (-3, 11)]]
HALF = 9.5  # half the character's size in pixels, as in MNIST
# How far images of a class differ. Many classes in twelve hands leave less room than ten, or one.
NEAR = dict(rotation=12, shear=0.25, scale=(0.9, 1.1), stretch=(0.8, 1.12), shift=0.7, bend=0.9)
FAR = dict(rotation=20, shear=0.35, scale=(0.8, 1.1), stretch=(0.75, 1.15), shift=1.5, bend=1.2)


def forms(classes):
    """The characters that may stand for each class: a capital also stands for the small letter,
    unless that is a class of its own."""
    return [sorted({c, c.lower()} - (set(classes) - {c})) for c in classes]


def draw(rng, characters, limits):
    """A picture of one of these characters, light ink on black, warped within limits, NEAR or FAR:
    float (28, 28)."""
    character = characters[rng.integers(len(characters))]
    font = "japanese" if character > "z" else LATIN[rng.integers(len(LATIN))]
    radius, tone = rng.uniform((0.7, 0.8), (1.6, 1))
    strokes = _glyphs(font)[character]
    layers = [(tone, radius, stroke + rng.normal(0, 0.5, 2)) for stroke in strokes]
    ink = drawing.painted(layers, 28, drawing.warp(rng, **limits))
    ink *= 1 + 0.12 * drawing.cloud(rng, 28, 5)  # pressure that changes on the way
    return ink + (0.15 * ink + 0.02) * rng.normal(0, 0.4, ink.shape)


@cache
def _glyphs(font):
    """{character: list of strokes (points, 2)}, y downwards, the longer side from -HALF to HALF."""
    from HersheyFonts import HersheyFonts

    book = HersheyFonts(load_default_font=font).all_glyphs
    glyphs = {character: glyph.strokes for character, glyph in book.items()}
    if font == "japanese":  # kana stand in it as in SOUNDS, with い え う again in the gaps
        glyphs = {kana: glyphs[chr(65 + place)] for place, kana in enumerate(SOUNDS)}
        glyphs["ゝ"] = ITERATION_MARK
    return {character: _centred(strokes) for character, strokes in glyphs.items() if strokes}


def _centred(strokes):
    strokes = [np.array(stroke, float) for stroke in strokes if len(stroke) > 1]
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    return [(stroke - (low + high) / 2) / (high - low).max() * 2 * HALF for stroke in strokes]

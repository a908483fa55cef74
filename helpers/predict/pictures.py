"""From a drawing or a photograph to an image like those of a data set. Notebook 12, `make predict`.

`prepare` is what pad.js does too, for the report's page; tests/helpers/prepared.json holds drawings
and pictures that both must give.
"""

import numpy as np
from scipy import ndimage

from helpers.store.paths import UserError

SIDE = 28
# Length of the long side by rule, as measured on the training images where they are brighter than
# 0.2 of white: of MNIST it is 20; of EMNIST 24 in most (24 or 26 with the faint rim); Kuzushiji and
# Fashion-MNIST fill the frame.
LONG = {"mass": 20, "box": 24, "fill": 28}
PEN = 0.12  # width of a stroke as a share of the long side: three quarters of MNIST have more
WORK = 600  # pixels of the long side at which a photograph is searched
CONTRAST = 0.1  # of ink to paper, at least
DIM = 64  # paper that is darker counts as this bright: there noise is no ink
APART = 0.25  # of the character's ink: what else has as much is no speck
ALONE = "take one character, whole and alone"


def prepare(drawing, rule):
    """A drawing of any size, light on dark, as an image of a data set: uint8 (28, 28).

    drawing: (height, width), uint8 or float, 0 where nothing is. rule: "mass" as MNIST, "box" as
    EMNIST, "fill" as Kuzushiji. UserError for another rule or shape. Step by step, in floats:

    1. Crop to the rows and columns with a value above 0.2 times the largest: the faint rim of what
       was enlarged is none of the character. Where the largest is 0 the picture is empty.
    2. The long side becomes L = `LONG[rule]`, the other one max(1, floor(side * L / long + 0.5)).
    3. Area averaging along each axis: pixel i of n from m is the mean over the stretch from
       i * m / n to (i + 1) * m / n, parts of pixels counted as parts. It enlarges, too.
    4. Multiply so that the largest value is 255: that of nearly all training images.
    5. Shift by whole pixels, as MNIST was. "mass": the top row is floor(14.5 - c + 1e-9), where c
       is the centre of mass in rows (index times value, summed, by the sum of values), and between
       0 and 28 - height; columns likewise. The 1e-9 sends a half the same way in whatever order
       one sums. "box", "fill": the top row is floor((28 - height) / 2).
    6. Round: floor(value + 0.5).
    """
    if rule not in LONG or np.ndim(drawing) != 2:
        fault = f"Rule {rule!r} for a drawing with {np.ndim(drawing)} axes"
        raise UserError(f"{fault}: give one of {', '.join(LONG)} and an array (height, width).")
    picture, ink = np.zeros((SIDE, SIDE), np.uint8), np.maximum(np.asarray(drawing, float), 0)
    rows, columns = (np.flatnonzero((ink > 0.2 * ink.max()).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return picture
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, int(n * LONG[rule] / max(ink.shape) + 0.5)) for n in ink.shape)
    small = _average(height, len(ink)) @ ink @ _average(width, ink.shape[1]).T
    small *= 255 / small.max()
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    if rule == "mass":
        top, left = (_offset(small.sum(axis=axis)) for axis in (1, 0))
    picture[top : top + height, left : left + width] = np.floor(small + 0.5)
    return picture


def _average(n, m):
    """The matrix (n, m) that averages m values down to n."""
    edges, pixels = np.arange(n + 1)[:, None] * m / n, np.arange(m)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.maximum(covered, 0) * n / m


def _offset(sums):
    """Where a picture begins whose centre of mass along an axis comes to lie at 14."""
    centre = np.arange(len(sums)) @ sums / sums.sum()
    return int(np.clip(np.floor(14.5 - centre + 1e-9), 0, SIDE - len(sums)))


def find(photo):
    """The character on a photograph, cut out: light on dark, float from 0 to 1. See `search`."""
    return search(photo)[0]


def search(photo):
    """The character on a photograph and what one should know of it: (cut, notes).

    photo: grey (height, width), 0 to 255, dark ink on light paper, or chalk on a board, which is
    looked for where there is no ink. cut: as `find` gives it. notes: lines. UserError where there
    is neither.
    """
    grey = np.asarray(photo, float)
    for chalk, picture in ((False, grey), (True, 255 - grey)):
        cut, apart = _ink(picture)
        if cut is not None:
            notes = ["light on dark: it is read as chalk on a board."] * chalk
            return cut, notes + [f"more of the same stands apart: {ALONE}."] * apart
    raise UserError(f"no dark character on light paper is found, nor chalk on a board: {ALONE}.")


def _ink(photo):
    """The dark character on light paper, cut out, and whether there is more ink: (cut, apart);
    (None, False) where there is none.

    A closing, which fills up what is dark and thin, gives the paper alone; divided by it the light
    is even. Ink is what is darker than half of the darkest thousandth; gaps are bridged, patches
    that reach the edge are left out (twice, for a table may be darker than the ink), and the
    heaviest one is the character. What lies around it must be lighter: the inside of a 0 in chalk
    is dark, too. A thin pen is thickened to the pen of MNIST.
    """
    unit = max(np.shape(photo)) / WORK
    smooth = ndimage.gaussian_filter(photo, 1.5 * unit)
    paper = ndimage.grey_closing(smooth, [int(WORK / 4 * unit)] * 2)
    dark = (paper - smooth) / np.maximum(paper, DIM)
    for _ in range(2):
        most = np.quantile(dark, 0.999)
        near = ndimage.binary_dilation(dark > most / 2, iterations=max(1, int(8 * unit)))
        patches, _ = ndimage.label(near)
        edge = patches[0], patches[-1], patches[:, 0], patches[:, -1]
        dark[near & np.isin(patches, np.concatenate(edge))] = 0
    weight = np.bincount(patches.ravel(), np.where(near, dark, 0).ravel())[1:]
    if most < CONTRAST or not weight.any():
        return None, False
    ink = np.clip(1.5 * dark / most - 0.25, 0, 1) * (patches == 1 + weight.argmax())
    here = ndimage.find_objects((ink > 0.2).astype(int))[0]
    more = max(stop.stop - stop.start for stop in here) // 2
    wide = tuple(slice(max(0, each.start - more), each.stop + more) for each in here)
    around, drawn = np.median(smooth[wide][~near[wide]]), np.median(smooth[ink > 0.5])
    if around - drawn < most / 2 * around:
        return None, False
    return _thickened(ink[here]), bool((weight > APART * weight.max()).sum() > 1)


def _thickened(ink):
    """Ink with strokes of at least PEN times its long side."""
    distance = ndimage.distance_transform_edt(np.pad(ink > 0.5, 1))
    radius = (PEN * max(ink.shape) - 4 * distance[distance > 0].mean()) / 2
    if radius < 0.5:
        return ink
    reach = np.arange(-round(radius), round(radius) + 1)
    disc = reach[:, None] ** 2 + reach**2 <= radius**2
    return ndimage.grey_dilation(np.pad(ink, len(reach)), footprint=disc)

"""A drawing or a photograph of one character, made like the images of a data set, and classified.

`prepare` is what the page of the report does too, in JavaScript; tests/helpers/prepared.json holds
drawings and pictures that both must give.
"""

import numpy as np

from helpers.store.paths import UserError

SIDE = 28
# Length of the long side by rule, as measured on the training images where they are brighter than
# 0.2 of white: of MNIST it is 20; of EMNIST 24 in most (24 or 26 with the faint rim); Kuzushiji and
# Fashion-MNIST fill the frame.
LONG = {"mass": 20, "box": 24, "fill": 28}


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

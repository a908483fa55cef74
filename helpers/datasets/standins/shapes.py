"""Shapes as signed distances, and the random warps that make every drawing different.

All arithmetic is float64 and ends in one rounding to uint8: the last bits, in which processors differ, do not reach the
images. A distance is in pixels and positive inside the shape. Parameters are numbers, or arrays that broadcast against
the pixels.
"""

import numpy as np


def axis(size):
    """Pixel centres along one side, measured from the middle of the image: (size,)."""
    return np.arange(size) - (size - 1) / 2


class Source:
    """Random numbers for `n` pictures at once, shaped to broadcast against their pixels."""

    def __init__(self, rng, n):
        self.rng, self.n = rng, n

    def __call__(self, low, high):
        return self.rng.uniform(low, high, (self.n, 1, 1))

    def chance(self, probability):
        """1.0 with the given probability, else 0.0."""
        return (self.rng.random((self.n, 1, 1)) < probability).astype(float)


def warped_grid(rng, n, size, *, rotation, shear, scale, stretch, shift, elastic, knots=5):
    """Where each pixel of `n` randomly transformed images comes from.

    `rotation` in degrees, `shear` a ratio, `shift` in pixels: normal, with standard deviation half of the value given,
    and never beyond it. `scale` is a (low, high) pair for the size of what is drawn, `stretch` one for its width by its
    height. `elastic` is the standard deviation, in pixels, of a smooth displacement with `knots` x `knots` knots.
    Returns x, y (n, size, size) and the scale (n, 1, 1).
    """

    def bounded(limit):
        return limit * np.clip(rng.normal(0, 0.5, (n, 1, 1)), -1, 1)

    angle, slant, dx, dy = (
        np.deg2rad(bounded(rotation)),
        bounded(shear),
        bounded(shift),
        bounded(shift),
    )
    size_of = rng.uniform(*scale, (n, 1, 1))
    wide = rng.uniform(*stretch, (n, 1, 1))
    pixels = axis(size)
    x, y = pixels[None, None, :] - dx, pixels[None, :, None] - dy
    cos, sin = np.cos(angle) / size_of, np.sin(angle) / size_of
    u, v = cos * x + sin * y, cos * y - sin * x
    push = elastic * smooth_noise(rng, 2 * n, size, knots).reshape(2, n, size, size)
    return (u - slant * v) / wide + push[0], v + push[1], size_of


def smooth_noise(rng, n, size, knots):
    """Normal noise on knots x knots points, smoothly interpolated: (n, size, size), variance 1 at the knots."""
    position = np.linspace(0, knots - 1, size)
    part = np.clip(1 - np.abs(position[:, None] - np.arange(knots)), 0, 1)
    weights = part**2 * (3 - 2 * part)  # the smoothstep polynomial: no kinks at the knots
    return weights @ rng.normal(0, 1, (n, knots, knots)) @ weights.T


def capsule(x, y, x0, y0, x1, y1, r0, r1=None):
    """A thick line from (x0, y0) with radius r0 to (x1, y1) with radius r1."""
    return _capsule(x, y, x0, y0, x1, y1, r0, r1)[0]


def solid_capsule(x, y, x0, y0, x1, y1, r0, r1=None):
    """The distance as in `capsule`, and how a limb of that shape shines (about 0 to 1) in light from the upper left."""
    inside, dx, dy, radius = _capsule(x, y, x0, y0, x1, y1, r0, r1)
    height = np.sqrt(np.clip(1 - (dx**2 + dy**2) / radius**2, 0, 1))
    return inside, np.clip(0.74 * height - 0.1 * (dx + 1.4 * dy) / radius, 0, 1)


def _capsule(x, y, x0, y0, x1, y1, r0, r1):
    along_x, along_y = x1 - x0, y1 - y0
    t = ((x - x0) * along_x + (y - y0) * along_y) / np.maximum(along_x**2 + along_y**2, 1e-9)
    t = np.clip(t, 0, 1)
    radius = r0 if r1 is None else r0 + (r1 - r0) * t
    dx, dy = x - x0 - t * along_x, y - y0 - t * along_y
    return radius - np.sqrt(dx**2 + dy**2), dx, dy, radius


def box(x, y, left, top, right, bottom):
    """An upright rectangle (exact inside and along its sides)."""
    return np.minimum(np.minimum(x - left, right - x), np.minimum(y - top, bottom - y))


def profile(t, *knots):
    """A piecewise linear function of t through (position, value) pairs, constant beyond the ends."""
    total = knots[0][1]
    for (p0, v0), (p1, v1) in zip(knots, knots[1:]):
        total = total + (v1 - v0) / (p1 - p0) * np.clip(t - p0, 0, p1 - p0)
    return total


def cover(distance):
    """Share of each pixel inside the shape, 0 to 1: one pixel of soft edge."""
    return np.clip(distance + 0.5, 0, 1)


def paint(picture, mask, tone):
    """`picture` with `tone` laid over it where `mask` is 1."""
    return picture + mask * (tone - picture)


def to_bytes(picture):
    """Brightness 0 to 1 as uint8."""
    return np.clip(np.rint(255 * picture), 0, 255).astype("uint8")

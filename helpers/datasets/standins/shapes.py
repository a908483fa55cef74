"""Shapes as distances in pixels, painted in layers, and random warps: every drawing is another.

All arithmetic is float64 and ends in one rounding to uint8: the last bits, in which processors
differ, do not reach the images.
"""

import numpy as np

FIELD = 60  # points along a side of a field ...
REACH = 1.5  # ... that spans -REACH to REACH times half the size of what is drawn
GRID = np.linspace(-REACH, REACH, FIELD)


def axis(size):
    """Pixel centres along one side, measured from the middle of the image: (size,)."""
    return np.arange(size) - (size - 1) / 2


def path(points):
    """The pieces of a line through `points` (k, 2), from one point to the next: (k - 1, 4)."""
    return np.hstack([points[:-1], points[1:]])


def distance(x, y, pieces):
    """Distance of each pixel (h, w) from the nearest of the pieces (k, 4): x0, y0, x1, y1."""
    x0, y0, x1, y1 = pieces.T[:, :, None, None]
    along_x, along_y = x1 - x0, y1 - y0
    t = ((x - x0) * along_x + (y - y0) * along_y) / np.maximum(along_x**2 + along_y**2, 1e-9)
    t = np.clip(t, 0, 1)
    return np.sqrt(((x - x0 - t * along_x) ** 2 + (y - y0 - t * along_y) ** 2).min(0))


def depth(x, y, radius, points):
    """How deep each pixel lies in a line through `points` (k, 2), or a polygon if radius is 0."""
    if radius:
        return radius - distance(x, y, path(points))
    edges = path(np.concatenate([points, points[:1]]))
    x0, y0, x1, y1 = edges.T[:, :, None, None]
    crossed = (y0 > y) != (y1 > y)  # a ray to the left crosses the edges: inside, oddly often
    right = x > x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    return distance(x, y, edges) * np.where((crossed & right).sum(0) % 2, 1, -1)


def painted(x, y, layers, round_by, low):
    """Layers (tone, radius, points) laid over each other: brightness, 0 outside, (h, w).

    They are rounded: `low` of their tone at the edge, all of it `round_by` pixels inside.
    """
    picture = 0 * (x + y)
    for tone, radius, points in layers:
        inside = depth(x, y, radius, points)
        rise = np.clip(inside / min(radius or round_by, round_by), 0, 1)
        shade = low + (1 - low) * np.sqrt(rise * (2 - rise))
        picture += np.clip(inside + 0.5, 0, 1) * (tone * shade - picture)
    return picture


def warped(rng, fields, labels, half, finish, **warp):
    """An image for each label, uint8 (n, 28, 28): one of the `fields` [class][variant], warped.

    `half`: half the size of what is drawn, in pixels; `warp`: see `warped_grid`. finish(values, x,
    y, scale) turns some images' values and the places that they are from, in pixels, to grey, 0-1.
    """
    from scipy.ndimage import map_coordinates

    first = np.cumsum([0, *map(len, fields)])
    which = rng.integers(first[labels], first[1:][labels])[:, None, None]
    fields, images = np.concatenate(fields), np.empty((len(labels), 28, 28), "uint8")
    for start in range(0, len(labels), 500):  # memory stays small
        rows = slice(start, start + 500)
        x, y, scale = warped_grid(rng, len(which[rows]), 28, **warp)
        places = [(at / half + REACH) * (FIELD - 1) / (2 * REACH) for at in (y, x)]
        places = [np.broadcast_to(which[rows], x.shape), *places]
        grey = finish(map_coordinates(fields, places, order=1, mode="nearest"), x, y, scale)
        images[rows] = np.clip(np.rint(255 * grey), 0, 255)
    return images


def warped_grid(rng, n, size, rotation, shear, scale, stretch, shift, elastic):
    """Where each pixel of `n` warped images comes from: x, y (n, size, size), and the scale.

    `rotation` in degrees, `shear` a ratio, `shift` in pixels: normal, of standard deviation half
    the value given, and never beyond it. `scale`: (low, high) of the size of what is drawn;
    `stretch`: of its width by its height. `elastic`: of a smooth displacement, in pixels.
    """
    bounded = np.clip(rng.normal(0, 0.5, (4, n, 1, 1)), -1, 1)
    angle, slant, dx, dy = (bounded.T * (np.deg2rad(rotation), shear, shift, shift)).T
    size_of, wide = rng.uniform(*scale, (n, 1, 1)), rng.uniform(*stretch, (n, 1, 1))
    x, y = axis(size)[None, :] - dx, axis(size)[:, None] - dy
    cos, sin = np.cos(angle) / size_of, np.sin(angle) / size_of
    u, v = cos * x + sin * y, cos * y - sin * x
    push = elastic * smooth_noise(rng, 2 * n, size, 5).reshape(2, n, size, size)
    return (u - slant * v) / wide + push[0], v + push[1], size_of


def smooth_noise(rng, n, size, knots):
    """Normal noise, variance 1, on knots x knots points, smoothly interpolated: (n, size, size)."""
    position = np.linspace(0, knots - 1, size)
    part = np.clip(1 - np.abs(position[:, None] - np.arange(knots)), 0, 1)
    weights = part**2 * (3 - 2 * part)  # the smoothstep polynomial: no kinks at the knots
    return weights @ rng.normal(0, 1, (n, knots, knots)) @ weights.T

"""Left and right hands that show 0 to 5 fingers: grey, upright, on a dark, cloudy ground.

Two dozen poses of each count are painted as rounded lines; every image is a pose, slightly turned,
moved and resized, in its own light and on its own piece of ground. So training and test images are
near-duplicates, as they are in the data set that this stands for.
"""

import numpy as np

from helpers.datasets.standins import shapes

SIZE = 128
POSES = 24  # of each count, before mirroring
DARKEST = 60  # grey level: no part of a hand is darker, its surroundings are 0
# A left hand's palm, in pixels: x to the right, y down, the thumb at negative x.
PALM = [(-18, 4), (-8, -2), (4, -2), (15, 4), (16, 22), (12, 44), (-12, 44), (-17, 24)]
ROOTS = np.array([(-13, 3), (-4.5, 1), (4.5, 2), (12.5, 6)])  # index to little finger
LENGTHS = (36, 40, 37, 29)
# How the raised fingers lean, in degrees, for a count of 0 to 5, from the index finger on.
LEAN = ((), (-4,), (-10, 10), (-12, 0, 13), (-15, -4, 6, 19), (-15, -4, 6, 19))


def draw(rng, fingers, hand):
    """An image of each of `fingers`, 0 to 5, and `hand`, 0 left, 1 right: uint8 (n, 128, 128)."""
    from scipy.ndimage import affine_transform

    poses = [[_pose(rng, count) for _ in range(POSES)] for count in range(6)]
    waves = ((4, 10), (4, 30), (3.5, 90))
    clouds = sum(grey * shapes.smooth_noise(rng, 1, 384, knots)[0] for grey, knots in waves)
    grain = rng.normal(0, 2.2, (256, 256))
    images = np.empty((len(fingers), SIZE, SIZE), "uint8")
    middle = (SIZE - 1) / 2
    for i, (count, right) in enumerate(zip(fingers, hand)):
        angle, scale = np.deg2rad(rng.normal(0, 4)), rng.uniform(0.75, 1.05)
        wide = rng.uniform(0.9, 1.05) * (-1 if right else 1)
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        matrix = np.array([[cos, -sin], [sin / wide, cos / wide]])  # from the image to the pose
        offset = middle - matrix @ (middle + rng.normal(0, 1.5, 2))
        skin = affine_transform(poses[count][rng.integers(POSES)], matrix, offset, order=1)
        ground = _piece(rng, clouds) * rng.uniform(0.6, 1.2) + rng.uniform(42, 64)
        picture = skin * rng.uniform(0.88, 1.08) + ground * np.clip(1 - skin / DARKEST, 0, 1)
        images[i] = np.clip(np.rint(picture + _piece(rng, grain)), 0, 255)
    return images


def _pose(rng, count):
    """A left hand that shows `count` fingers, in grey levels from DARKEST on, 0 around it."""
    thick, spread, open_by, turn = rng.uniform((0.92, 0.7, 0.95, 0.8), (1.12, 1.4, 1.25, 1))
    layers = [(0, PALM + rng.normal(0, 0.7, (8, 2)))]
    for finger, (root, length) in enumerate(zip(ROOTS, LENGTHS)):
        if finger < len(LEAN[count]):
            lean = np.deg2rad(LEAN[count][finger] * spread + rng.normal(0, 3, (2, 1)))
            half = length * rng.uniform(0.46, 0.52) * np.hstack([np.sin(lean), -np.cos(lean)])
            knuckle, tip = root + np.cumsum(half, 0)
            layers += [(3.8, [knuckle, tip]), (4.7, [root + (0, 5), knuckle])]
        else:  # bent over the palm: the knuckle above, the tip below it
            tip = root * (0.85, 1) + rng.normal(0, 0.8, 2) + (0, 16)
            layers += [(5.2, [root, root + (0, 4)]), (4.7, [root + (0, 9), tip])]
    # The thumb is stretched out for five, else laid across the palm.
    joint, tip = [(-24, 15), (-37, 7)] if count == 5 else [(-11, 20), (3, 19 + count)]
    joint, tip = rng.normal([joint, tip], 1.5) * (open_by if count == 5 else 1, 1)
    layers += [(7, [(-10, 28), joint]), (5, [joint, tip])]
    layers = [(1, radius * thick, np.array(points)) for radius, points in layers]
    x, y = shapes.axis(SIZE)[None, :] / turn, shapes.axis(SIZE)[:, None]  # seen from the side
    picture = shapes.painted(x, y, layers, round_by=9, low=0.45)
    picture *= np.maximum(215 + 7 * shapes.smooth_noise(rng, 1, SIZE, 24)[0], DARKEST)
    there = [np.flatnonzero(picture.max(along)) for along in (1, 0)]
    return np.roll(picture, [(SIZE - 1 - at[0] - at[-1]) // 2 for at in there], (0, 1))  # centred


def _piece(rng, sheet):
    """A random SIZE x SIZE piece of a larger sheet."""
    top, left = rng.integers(0, np.array(sheet.shape) - SIZE + 1)
    return sheet[top : top + SIZE, left : left + SIZE]

"""Left and right hands that show 0 to 5 fingers: grey, upright, on a dark, cloudy ground.

Two dozen poses of each count are drawn; every image is a pose, slightly turned, moved and resized,
in its own light. So training and test images are near-duplicates, as they are in the data set that
this stands for.
"""

import numpy as np

from helpers.datasets.standins import drawing

SIZE = 128
POSES = 24  # of each count, before mirroring
# A left hand's palm, in pixels: x to the right, y down, the thumb at negative x.
PALM = [(-18, 4), (-8, -2), (4, -2), (15, 4), (16, 22), (12, 44), (-12, 44), (-17, 24)]
ROOTS = np.array([(-13, 3), (-4.5, 1), (4.5, 2), (12.5, 6)])  # index to little finger
LENGTHS = (36, 40, 37, 29)
# How the raised fingers lean, in degrees, for a count of 0 to 5, from the index finger on.
LEAN = ((), (-4,), (-10, 10), (-12, 0, 13), (-15, -4, 6, 19), (-15, -4, 6, 19))


def poses(rng):
    """For each count POSES left hands, as `draw` takes them."""
    return [[_pose(rng, count) for _ in range(POSES)] for count in range(6)]


def draw(rng, poses, right):
    """A picture of one of these poses, by a right hand if so asked: float (128, 128)."""
    wide = (-1.0, -0.8) if right else (0.8, 1.0)
    limits = dict(rotation=9, shear=0, scale=(0.75, 1.05), stretch=wide, shift=3, bend=0.5)
    hand = drawing.painted(poses[rng.integers(POSES)], SIZE, drawing.warp(rng, **limits))
    light = rng.uniform(0.8, 0.95) + 0.04 * drawing.cloud(rng, SIZE, 6)
    clouds = drawing.cloud(rng, SIZE, 5) + drawing.cloud(rng, SIZE, 30)
    ground = rng.uniform(0.17, 0.25) + 0.016 * clouds
    picture = hand * light + ground * np.clip(1 - hand / 0.4, 0, 1)
    return picture + rng.normal(0, 0.009, hand.shape)


def _pose(rng, count):
    """Layers of a left hand that shows `count` fingers: each part dark, and light within."""
    thick, spread = rng.uniform((0.92, 0.7), (1.12, 1.4))
    palm = PALM + rng.normal(0, 0.7, (8, 2))
    layers = [(0.45, 0, palm), (0.85, 0, 0.93 * palm + (0, 1.4))]

    def add(radius, *points):
        layers.extend([(0.45, radius * thick, points), (0.85, radius * thick - 1, points)])

    for finger, (root, length) in enumerate(zip(ROOTS, LENGTHS)):
        if finger < len(LEAN[count]):
            lean = np.deg2rad(LEAN[count][finger] * spread + rng.normal(0, 3))
            length *= rng.uniform(0.92, 1.04)
            add(4.3, root + (0, 5), root, root + length * np.array([np.sin(lean), -np.cos(lean)]))
        else:  # bent over the palm: the knuckle above, the tip below it
            tip = root * (0.85, 1) + rng.normal(0, 0.8, 2) + (0, 16)
            add(5.2, root, root + (0, 4))
            add(4.7, root + (0, 9), tip)
    # The thumb is stretched out for five, else laid across the palm.
    joint, tip = [(-24, 15), (-37, 7)] if count == 5 else [(-11, 20), (3, 19 + count)]
    add(5.5, (-10, 28), rng.normal(joint, 1.5), rng.normal(tip, 1.5))
    points = np.concatenate([points for _, _, points in layers])
    middle = (points.min(0) + points.max(0)) / 2
    return [(tone, radius, points - middle) for tone, radius, points in layers]

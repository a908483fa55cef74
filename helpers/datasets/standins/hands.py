"""Left and right hands that show 0 to 5 fingers: grey, upright and centred on a dark, cloudy ground, 128 x 128.

Two dozen poses of each count are drawn from shaded capsules; every image is one pose, slightly turned, moved and
resized, in its own light and on its own piece of ground. So training and test images are near-duplicates, as they are
in the data set that this stands for.
"""

import numpy as np

from helpers.datasets.standins import shapes

SIZE = 128
POSES = 24  # of each count, before mirroring

# A left hand's palm, in pixels: x to the right, y down, the finger roots near y = 0 and the thumb at negative x.
ROOTS = ((-13.0, 2.0), (-4.5, 0.0), (4.5, 1.0), (12.5, 5.0))  # index, middle, ring, little finger
LENGTHS = (36.0, 40.0, 37.0, 29.0)
# How the raised fingers lean, in degrees, for a count of 0 to 5: from the index finger on; the thumb comes last.
LEAN = ((), (-4,), (-10, 10), (-12, 0, 13), (-15, -4, 6, 19), (-15, -4, 6, 19))
DARKEST = 60  # grey level: no part of a hand is darker, its surroundings are 0


def draw(rng, fingers, hand):
    """One image a pair of `fingers` (0 to 5) and `hand` (0 left, 1 right), integers (n,): uint8 (n, 128, 128)."""
    from scipy.ndimage import affine_transform

    poses = [[_pose(rng, count) for _ in range(POSES)] for count in range(6)]
    clouds, grain = _clouds(rng), rng.normal(0, 2.2, (256, 256))
    images = np.empty((len(fingers), SIZE, SIZE), "uint8")
    middle = (SIZE - 1) / 2
    for i, (count, right) in enumerate(zip(fingers, hand)):
        pose = poses[count][rng.integers(POSES)]
        angle, scale, wide = (
            np.deg2rad(rng.normal(0, 4)),
            rng.uniform(0.75, 1.05),
            rng.uniform(0.9, 1.05),
        )
        cos, sin = np.cos(angle) / scale, np.sin(angle) / scale
        mirror = -1 if right else 1
        # from (y, x) of the image to (y, x) of the pose
        matrix = np.array([[cos, -sin], [mirror * sin / wide, mirror * cos / wide]])
        offset = middle - matrix @ (middle + rng.normal(0, 1.5, 2))
        skin = affine_transform(pose, matrix, offset, order=1)
        ground = _piece(rng, clouds) * rng.uniform(0.6, 1.2) + rng.uniform(42, 64)
        outside = np.clip(1 - skin / DARKEST, 0, 1)
        picture = skin * rng.uniform(0.88, 1.08) + outside * ground + _piece(rng, grain)
        images[i] = np.clip(np.rint(picture), 0, 255)
    return images


def _pose(rng, count):
    """One left hand that shows `count` fingers, centred, in grey levels from DARKEST on, 0 around it: (128, 128)."""
    pixels = shapes.axis(SIZE)
    turn = rng.uniform(0.8, 1.0)  # seen a little from the side
    x, y = pixels[None, :] / turn, pixels[:, None]
    canvas = [np.zeros((SIZE, SIZE)), np.zeros((SIZE, SIZE))]

    def limb(x0, y0, x1, y1, r0, r1=None, low=0.45):
        inside, shine = shapes.solid_capsule(x, y, x0, y0, x1, y1, r0, r1)
        here = shapes.cover(inside)
        canvas[0] = shapes.paint(canvas[0], here, low + (1 - low) * shine)
        canvas[1] = np.maximum(canvas[1], here)

    thick, spread = rng.uniform(0.92, 1.12), rng.uniform(0.7, 1.4)
    _palm(rng, limb)
    for finger, ((root_x, root_y), length) in enumerate(zip(ROOTS, LENGTHS)):
        if finger < len(LEAN[count]):
            lean = np.deg2rad(LEAN[count][finger] * spread + rng.normal(0, 2.5))
            bend = lean + np.deg2rad(rng.normal(0, 4))
            length = length * rng.uniform(0.92, 1.05)
            knuckle = root_x + 0.5 * length * np.sin(lean), root_y - 0.5 * length * np.cos(lean)
            tip = knuckle[0] + 0.5 * length * np.sin(bend), knuckle[1] - 0.5 * length * np.cos(bend)
            limb(*knuckle, *tip, 4.4 * thick, 3.2 * thick)
            limb(root_x, root_y + 5, *knuckle, 5.0 * thick, 4.4 * thick)
        else:
            _folded(rng, limb, root_x, root_y, thick)
    _thumb(rng, limb, count, thick)
    tone = np.maximum(canvas[0] * 215 + 7 * shapes.smooth_noise(rng, 1, SIZE, 24)[0], DARKEST)
    return _centred(tone * canvas[1])


def _palm(rng, limb):
    for side in (-4.5, 4.5):
        limb(side, 32, side + rng.normal(0, 0.5), 40, 11, 9.5, low=0.55)  # wrist
    limb(-9, 11, 9, 12, 9.5, low=0.62)
    limb(8.5, 16, 7, 32, 9.5, 9, low=0.62)  # ball of the little finger
    limb(-8, 18, -6.5, 31, 10.5, 9.5, low=0.62)  # ball of the thumb
    limb(0, 14, 0, 27, 9, 8, low=0.66)


def _folded(rng, limb, root_x, root_y, thick):
    """A finger bent over the palm: the knuckle above, the tip below it."""
    tip_x, tip_y = root_x * 0.85 + rng.normal(0, 0.8), root_y + 16 + rng.normal(0, 1)
    limb(root_x, root_y + 2, root_x * 0.95, root_y + 7, 5.4 * thick, low=0.4)
    limb(root_x * 0.95, root_y + 10, tip_x, tip_y, 4.9 * thick, 4.3 * thick, low=0.4)


def _thumb(rng, limb, count, thick):
    """Stretched out for five; else laid across the palm, the deeper the more fingers are up."""
    sway = rng.normal(0, 1.5, 4)
    if count == 5:
        open_by = rng.uniform(0.95, 1.25)
        joint, tip = (-22 * open_by + sway[0], 15 + sway[1]), (-34 * open_by + sway[2], 7 + sway[3])
        limb(-9, 27, *joint, 9 * thick, 6.2 * thick, low=0.6)
        limb(*joint, *tip, 5.8 * thick, 3.8 * thick, low=0.5)
    else:
        joint, tip = (-11 + sway[0] / 2, 20 + sway[1]), (3 + sway[2], 19 + count + sway[3])
        limb(-10, 29, *joint, 7.5 * thick, 6 * thick, low=0.55)
        limb(*joint, *tip, 5.6 * thick, 4.4 * thick, low=0.4)


def _centred(picture):
    """The picture, moved by whole pixels so that the bounding box of what it shows lies in the middle."""
    moves = []
    for along in (1, 0):
        there = np.flatnonzero(picture.max(along))
        moves.append((SIZE - 1 - there[0] - there[-1]) // 2)
    return np.roll(picture, moves, (0, 1))


def _clouds(rng, size=384):
    """A large sheet of cloudy ground around 0, in grey levels: (size, size)."""
    return sum(
        amount * shapes.smooth_noise(rng, 1, size, knots)[0]
        for amount, knots in ((4, 10), (4, 30), (3.5, 90))
    )


def _piece(rng, sheet):
    """A random SIZE x SIZE piece of a larger sheet."""
    top, left = rng.integers(0, np.array(sheet.shape) - SIZE + 1)
    return sheet[top : top + SIZE, left : left + SIZE]

"""Random flips, rotations, shifts and zooms, composed into one affine warp an image. Notebook 04;
and images changed by a known amount, notebook 15.

One resampling instead of five keeps the picture sharper and is several times faster than a chain
of preprocessing layers. The random numbers come from NumPy and the warp from
`helpers.store.warping`, so a seed gives the same images on every Keras back end.
"""

import numpy as np

# The settings of the course reports. `small`: "small rotations and zooms"; `noise`: adds shifts;
# `strong`: the fingers report. open: the amounts of `small` and `noise`, which are the usual ones.
# Our own: `flips`.
SETTINGS = {
    "none": {},
    "small": {"rotation": 10, "zoom": 0.1},
    "noise": {"rotation": 10, "zoom": 0.1, "shift": 0.1},
    "flips": {"flip_horizontal": True},
    "strong": {
        "flip_horizontal": True,
        "flip_vertical": True,
        "rotation": 90,
        "shift": 0.2,
        "zoom": 0.2,
    },
}


def transforms(
    rng, n, image_shape, *, flip_horizontal=False, flip_vertical=False, rotation=0, shift=0, zoom=0
):
    """Draw `n` random affine transformations about the image centre.

    `rotation` is the largest angle in degrees, `shift` the largest move as a fraction of the side,
    `zoom` the largest change of scale; each is uniform around none, a flip has probability 1/2.
    Returns float32 (n, 8): the coefficients (a0, a1, a2, b0, b1, b2, 0, 0) that map an output pixel
    (x, y) to the input pixel (a0 x + a1 y + a2, b0 x + b1 y + b2), the order of
    `keras.ops.image.affine_transform`.
    """
    height, width = image_shape[:2]
    draw = rng.uniform(-1, 1, (6, n))  # always six an image: two settings see the same shifts
    angle = np.deg2rad(rotation) * draw[0]
    scale = 1 / (1 + zoom * draw[1])
    flip_x = np.where(flip_horizontal & (draw[2] < 0), -1.0, 1.0)
    flip_y = np.where(flip_vertical & (draw[3] < 0), -1.0, 1.0)
    moves = shift * width * draw[4], shift * height * draw[5]
    return _affine(angle, scale, (flip_x, flip_y), moves, image_shape)


def _affine(angle, scale, flips, moves, image_shape):
    # The coefficients of `transforms` from the transformation itself, all arrays (n,).
    (height, width), (flip_x, flip_y), (move_x, move_y) = image_shape[:2], flips, moves
    a0, a1 = scale * flip_x * np.cos(angle), -scale * flip_x * np.sin(angle)
    b0, b1 = scale * flip_y * np.sin(angle), scale * flip_y * np.cos(angle)
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    a2 = centre_x - a0 * centre_x - a1 * centre_y + move_x
    b2 = centre_y - b0 * centre_x - b1 * centre_y + move_y
    zero = np.zeros_like(a0)
    return np.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1).astype("float32")


def warp(images, coefficients):
    """Warp uint8 images (n, height, width, 1) by float32 coefficients (n, 8), bilinearly.

    Returns uint8 of the same shape. Beyond the edge the edge pixel is repeated, as Keras's
    ImageDataGenerator does by default, which the course reports used.
    """
    from helpers.store import warping  # a second, which others need not wait

    images = np.ascontiguousarray(images[..., 0])
    warped = np.empty_like(images)
    warping.bilinear(images, coefficients, warped)
    return warped[..., None]


def augment(images, seed, **setting):
    """A fixed augmented copy, (n, height, width, 1), of uint8 images (n, height, width[, 1]): the
    same seed gives the same copy."""
    rng = np.random.default_rng(seed)
    coefficients = transforms(rng, len(images), images.shape[1:3], **setting)
    return warp(np.asarray(images).reshape(*images.shape[:3], 1), coefficients)


# How much a picture is changed, from not at all: shifts and blurs in pixels of an image of 28 by 28
# (of a larger one in proportion), angles in degrees, factors, noise as a share of the grey levels.
CHANGES = {
    "shift": (0, 1, 2, 3, 4, 5, 6),
    "rotation": (0, 10, 20, 30, 45, 60, 90),
    "zoom": (0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4),
    "noise": (0, 0.05, 0.1, 0.2, 0.3, 0.4),
    "blur": (0, 0.5, 1, 1.5, 2),
}


def changed(images, change, amount):
    """Images, uint8 (n, height, width, 1), changed in one of the `CHANGES` by a known amount.

    A shift goes in one of the four directions of the pixel grid, a rotation either way, at random
    for each image; `noise` is Gaussian, `amount` its standard deviation, `blur` too. The images are
    always the same, and the direction of each is the same for every amount.
    """
    rng, n, side = np.random.default_rng(0), len(images), max(images.shape[1:3])
    if change == "noise":
        noise = rng.standard_normal(images.shape, dtype="float32") * (255 * amount)
        return np.clip(np.rint(images + noise), 0, 255).astype("uint8")
    if change == "blur":
        from scipy.ndimage import gaussian_filter

        width = amount * side / 28
        return gaussian_filter(images, (0, width, width, 0), mode="nearest")
    sign, axis, still = rng.choice([-1.0, 1.0], n), rng.integers(2, size=n), np.zeros(n)
    step = sign * (amount * side / 28 if change == "shift" else 0)
    moves = np.where(axis == 0, step, 0.0), np.where(axis == 1, step, 0.0)
    angle = sign * np.deg2rad(amount if change == "rotation" else 0)
    scale = still + 1 / (amount if change == "zoom" else 1)
    flips = still + 1.0, still + 1.0
    return warp(images, _affine(angle, scale, flips, moves, images.shape[1:3]))

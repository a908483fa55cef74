"""Random flips, rotations, shifts and zooms, composed into one affine warp an image. Notebook 04.

One resampling instead of five keeps the picture sharper and is several times faster than a chain
of preprocessing layers. The random numbers come from NumPy and the warp from `helpers.warping`, so
a seed gives the same images on every Keras back end.
"""

import numpy as np

# The settings of the course reports. `small`: "small rotations and zooms"; `noise`: adds shifts;
# `strong`: the fingers report. open: the amounts of `small` and `noise`, which are the usual ones.
SETTINGS = {
    "none": {},
    "small": {"rotation": 10, "zoom": 0.1},
    "noise": {"rotation": 10, "zoom": 0.1, "shift": 0.1},
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
    a0, a1 = scale * flip_x * np.cos(angle), -scale * flip_x * np.sin(angle)
    b0, b1 = scale * flip_y * np.sin(angle), scale * flip_y * np.cos(angle)
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    a2 = centre_x - a0 * centre_x - a1 * centre_y + shift * width * draw[4]
    b2 = centre_y - b0 * centre_x - b1 * centre_y + shift * height * draw[5]
    zero = np.zeros(n)
    return np.stack([a0, a1, a2, b0, b1, b2, zero, zero], axis=1).astype("float32")


def warp(images, coefficients):
    """Warp uint8 images (n, height, width, 1) by float32 coefficients (n, 8), bilinearly.

    Returns uint8 of the same shape. Beyond the edge the edge pixel is repeated, as Keras's
    ImageDataGenerator does by default, which the course reports used.
    """
    from helpers import warping  # a second, which runs without augmentation need not wait

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

"""The inner loop of `augmentation`, compiled by Numba: an affine warp with bilinear interpolation.

Import it where images are warped, not before: loading Numba and compiling this takes a second. The
compiled code is not kept on disk, where it would have to be written, locked and checked.
"""

import numba
import numpy as np


@numba.njit(nogil=True)  # without Python's lock, so that two threads warp side by side
def bilinear(images, coefficients, warped):
    """Fill `warped` (n, height, width) uint8 with `images`, of the same shape and type, warped by
    `coefficients` (n, 8) float32.

    Output pixel (x, y) is read at (a0 x + a1 y + a2, b0 x + b1 y + b2), or at the nearest point of
    the image. All arithmetic is float32 and rounds where that of TensorFlow's
    ImageProjectiveTransformV3 does, and the grey level is rounded as by `keras.ops.round`, halves
    to even: on x86-64 no pixel differs from theirs.
    """
    n, height, width = images.shape
    one, step = np.float32(1), np.uint32(width + 1)
    # A pixel's right and lower neighbours stand at fixed distances here, at the edges too.
    padded = np.zeros((height + 1) * (width + 1), np.float32)
    first = np.empty(width, np.uint32)
    across, down = np.empty(width, np.float32), np.empty(width, np.float32)
    for image in range(n):
        for row in range(height):
            for column in range(width):
                padded[row * (width + 1) + column] = images[image, row, column]
        for row in range(height):
            _places(coefficients[image], row, height, width, first, across, down)
            for column in range(width):
                pixel, right, below = first[column], across[column], down[column]
                upper = (one - right) * padded[pixel] + right * padded[pixel + np.uint32(1)]
                under = pixel + step
                lower = (one - right) * padded[under] + right * padded[under + np.uint32(1)]
                grey = np.rint((one - below) * upper + below * lower)
                warped[image, row, column] = np.uint8(grey)


@numba.njit(nogil=True)
def _places(coefficients, row, height, width, first, across, down):
    # Where a row of output pixels is read: the pixel above and to the left, and how far right of
    # it and below it. A loop of its own, which the compiler vectorises.
    a0, a1, a2 = coefficients[0], coefficients[1], coefficients[2]
    b0, b1, b2 = coefficients[3], coefficients[4], coefficients[5]
    none, rightmost, lowest = np.float32(0), np.float32(width - 1), np.float32(height - 1)
    for column in range(width):
        x = min(max(a0 * np.float32(column) + a1 * np.float32(row) + a2, none), rightmost)
        y = min(max(b0 * np.float32(column) + b1 * np.float32(row) + b2, none), lowest)
        left, top = np.floor(x), np.floor(y)
        first[column] = np.int32(top) * np.int32(width + 1) + np.int32(left)
        across[column], down[column] = x - left, y - top

"""Sandals, sneakers and ankle boots for `clothes`, seen from the side, toe to the left."""

import numpy as np

from helpers.datasets.standins.shapes import capsule, cover, paint, profile, smooth_noise


def sandal(u, x, y):
    ground, heel = u(6, 9), u.chance(0.4) * u(3, 10)
    foot = ground - 1.2 - heel * profile(x, (-6.0, 0.0), (9.0, 1.0))  # where the foot stands
    sole = np.minimum(u(0.6, 1.5) - np.abs(y - foot), 12.5 - np.abs(x))
    wedge = np.minimum(
        np.minimum(y - foot, ground - y), np.minimum(12.5 - x, x + 4)
    ) - 30 * u.chance(0.5)
    stem = capsule(x, y, 11.0, ground - heel, u(9.5, 11.5), ground - 0.5, u(0.6, 1.3))
    picture = cover(np.maximum(np.maximum(sole, wedge), stem)) * u(0.25, 0.9)
    # straps: arches over toes, instep and heel, each seen a little from the front
    for left, right, height, share in (
        (-11, -5.5, 3, 0.8),
        (-8, -2, 4.5, 0.8),
        (-3, 4, 6, 0.5),
        (4, 12, 8, 0.7),
    ):
        middle, half, rise = (
            (left + right) / 2 + u(-1, 1),
            (right - left) / 2 * u(0.8, 1.1),
            height * u(0.7, 1.2),
        )
        ring = np.sqrt(((x - middle) / half) ** 2 + ((y - foot) / rise) ** 2 + 1e-9)
        strap = np.minimum(u(0.5, 1.3) - np.abs(ring - 1) * np.minimum(half, rise), foot + 0.5 - y)
        picture = paint(picture, cover(strap) * u.chance(share), u(0.35, 1))
    return picture


def sneaker(u, x, y):
    ground, high = u(5, 8), u(6, 9.5)
    toe, throat, back = u(2.2, 4), u(-1, 4), u(0.85, 1.1)
    top = ground - profile(
        x,
        (-13.0, 1.2),
        (-10.5, toe),
        (-6.0, toe + 1),
        (throat, high),
        (throat + 3, high * 0.8),
        (10.0, high * back),
        (13.0, high * 0.9),
    )
    upper = np.minimum(np.minimum(y - top, ground - y), 13 - np.abs(x))
    tone = np.clip(u(0.25, 0.95) + 0.08 * smooth_noise(u.rng, u.n, 28, 6), 0.1, 1)
    picture = cover(upper) * tone * (0.8 + 0.2 * np.clip(upper / 2, 0, 1))
    stripes = cover(0.9 - np.abs((x + 0.6 * y) / u(2, 4) % 1 * 4 - 1.5))
    stripes = stripes * cover(3 - np.abs(x - u(0, 3))) * cover(upper - 1)
    picture = paint(picture, stripes * u.chance(0.5) * 0.8, u(0, 1))
    patch = cover(x - u(7, 10)) * cover(upper)
    picture = paint(picture, patch * u.chance(0.5) * 0.7, u(0.1, 1))
    laces = (
        cover(y - top)
        * cover(2.2 - (y - top))
        * cover(3.5 - np.abs(x - throat + 4))
        * (np.abs(x % 2 - 1) > 0.5)
    )
    picture = paint(picture, laces * u.chance(0.7) * 0.8, u(0.6, 1))
    sole = np.minimum(np.minimum(y - ground + u(1.2, 2.8), ground + 0.6 - y), 13.3 - np.abs(x))
    return paint(picture, cover(sole), u(0.15, 1))


def boot(u, x, y):
    ground, shaft, front_of = u(9, 12), u(-12.5, -2), u(-2, 2)
    toe = u(3, 4.5)
    top = profile(
        x,
        (-13.0, ground - 1.5),
        (-10.5, ground - toe),
        (-6.0, ground - toe - 1),
        (front_of - 0.5, ground - u(8, 10)),
        (front_of + 1, shaft),
    )
    back = profile(y, (-13.0, u(9.5, 12.5)), (ground - 4, u(11, 12.5)))
    upper = np.minimum(np.minimum(y - top, ground - y), np.minimum(back - x, x + 13))
    tone = np.clip(u(0.2, 0.95) + 0.08 * smooth_noise(u.rng, u.n, 28, 5), 0.1, 1)
    picture = cover(upper) * tone * (0.75 + 0.25 * np.clip(upper / 2.5, 0, 1))
    cuff = cover(shaft + u(1, 3) - y) * cover(upper)
    picture = paint(picture, cuff * u.chance(0.5) * 0.6, u(0.1, 1))
    elastic = (
        cover(1.6 - np.abs(x - front_of - u(4, 6)))
        * cover(y - shaft)
        * cover(ground - 5 - y)
        * cover(upper)
    )
    picture = paint(picture, elastic * u.chance(0.4) * 0.7, u(0.1, 0.9))
    laces = cover(2.5 - (x - front_of)) * cover(upper) * (np.abs(y % 3 - 1.5) > 0.8) * cover(x + 7)
    picture = paint(picture, laces * u.chance(0.4) * 0.6, u(0.4, 1))
    heel = np.minimum(
        np.minimum(y - ground + 0.5, ground + u(0.8, 2.8) - y), np.minimum(back - x, x - u(4, 7))
    )
    sole = np.minimum(
        np.minimum(y - ground + 0.8, ground + u(0.4, 1.4) - y), np.minimum(back - x, x + 13)
    )
    return paint(picture, cover(np.maximum(heel, sole)), u(0.1, 0.8))

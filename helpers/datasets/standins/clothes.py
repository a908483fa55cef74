"""Ten kinds of clothes, drawn from shapes: outlines as piecewise linear profiles, sleeves and straps as capsules.

A picture is 28 x 28; x and y are pixels from its middle, y downwards, and a garment fills most of -13 to 13. Each
drawing function takes a random source and the warped pixel positions (n, 28, 28), and returns brightness 0 to 1 of that
shape. Neighbouring kinds overlap on purpose (long T-shirts, short-sleeved shirts, high sneakers), as they do in a shop.
"""

import numpy as np

from helpers.datasets.standins.shapes import (
    Source,
    box,
    capsule,
    cover,
    paint,
    profile,
    smooth_noise,
    to_bytes,
    warped_grid,
)
from helpers.datasets.standins.shoes import boot, sandal, sneaker

WARP = dict(
    rotation=12, shear=0.12, scale=(0.84, 1.05), stretch=(0.87, 1.1), shift=2.0, elastic=0.5
)


def draw(rng, labels):
    """One picture a label, in the order of Fashion-MNIST's classes: uint8 (n, 28, 28)."""
    images = np.empty((len(labels), 28, 28), "uint8")
    for label, garment in enumerate(
        (tshirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot)
    ):
        here = np.flatnonzero(labels == label)
        x, y, _ = warped_grid(rng, len(here), 28, **WARP)
        picture = garment(Source(rng, len(here)), x, y)
        images[here] = to_bytes(picture * (1 + 0.05 * rng.normal(0, 1, picture.shape)))
    return images


def fabric(u, x, y, plain=0.55):
    """Cloth: a tone with a slow change of light, plain or with stripes, checks or a blotchy print."""
    tone = u(0.3, 0.95) + 0.06 * smooth_noise(u.rng, u.n, 28, 5)
    kind, period, phase = u(0, 1), u(3, 6), u(0, 6)
    across = np.abs((y + phase) / period % 1 - 0.5) * 4 - 1  # triangle waves between -1 and 1
    along = np.abs((x + phase) / period % 1 - 0.5) * 4 - 1
    blotch = np.clip(smooth_noise(u.rng, u.n, 28, 12) * 1.5, -1, 1)
    rest = (kind - plain) / (1 - plain)  # below 0: plain
    pattern = np.select(
        [rest < 0, rest < 0.35, rest < 0.5, rest < 0.7],
        [0 * across, across, along, (along + across) / 2],
        blotch,
    )
    return np.clip(tone + u(0.08, 0.25) * pattern, 0.12, 1)


def torso(x, y, neck, depth, shoulder, slope, chest, waist, hem, length):
    """A body seen from the front; `neck`, `shoulder`, `chest`, `waist` and `hem` are half widths, `depth` is the
    neckline's, `slope` how far the shoulders fall, `length` the last row."""
    side = np.abs(x)
    top = profile(side, (0.0, -12.5 + depth), (neck, -12.5), (shoulder, -12.5 + slope))
    half = profile(y, (-12.5, shoulder), (-6.0, chest), (1.0, waist), (length, hem))
    return np.minimum(np.minimum(half - side, y - top), length - y)


def sleeves(x, y, shoulder, drop, reach, end, width):
    """Both sleeves: from the shoulder's point out to x = `reach`, y = `end`."""
    return capsule(
        np.abs(x), y, shoulder - width * 0.5, -12.0 + drop + width, reach, end, width, width * 0.7
    )


def dressed(u, x, y, body, arms, tone):
    """Body and sleeves in one cloth, with a seam where the sleeve lies beside the body and shade along the edges."""
    shape = np.maximum(body, arms)
    seam = cover(0.8 - np.abs(arms - np.maximum(body, -1))) * cover(body + 1) * u(0.1, 0.4)
    return cover(shape) * tone * (0.82 + 0.18 * np.clip(shape / 2.5, 0, 1)) * (1 - seam)


def front(u, x, y, picture, body, tone, half_width, buttons):
    """Closes the front with a strip and, where `buttons` is 1, a row of buttons."""
    strip = cover(half_width - np.abs(x)) * cover(body - 1)
    picture = paint(picture, strip * u(0.4, 0.9), tone)
    dots = (
        cover(1.4 * (np.abs(y / 3.5 % 1 - 0.5) * 2) - 0.9)
        * cover(0.7 - np.abs(x))
        * cover(body - 1)
    )
    return paint(picture, dots * buttons * 0.8, np.where(tone > 0.5, 0.1, 1.0))


def tshirt(u, x, y):
    shoulder = u(7, 9)
    body = torso(
        x, y, u(2.5, 5), u(1, 4), shoulder, u(1, 2.5), u(6.5, 8), u(6, 8), u(6.3, 8.3), u(9, 13)
    )
    arms = sleeves(x, y, shoulder, u(0.3, 1.2), u(10, 12.8), u(-8, -3), u(1.9, 2.7))
    picture = dressed(u, x, y, body, arms, fabric(u, x, y))
    left, top = u(-5, -1), u(-6, 0)
    motif = cover(box(x, y, left, top, left + u(2, 7), top + u(1.5, 6)))
    return paint(picture, motif * cover(body) * u.chance(0.35) * u(0.3, 0.9), u(0, 1))


def trouser(u, x, y):
    side, top, end, hip = np.abs(x), u(-13, -12), u(11, 13), u(4, 5.8)
    outer = profile(y, (-12.5, hip - 0.6), (-5.0, hip + 0.5), (13.0, u(4, 6.5)))
    inner = profile(y, (u(-7, -4), -0.8), (13.0, u(0.6, 2.2)))
    legs = np.minimum(np.minimum(outer - side, side - inner), np.minimum(y - top, end - y))
    shade = 0.78 + 0.22 * np.clip(legs / 1.5, 0, 1)
    fade = 1 + u(0, 0.3) * np.clip(1 - np.abs(side - (outer + inner) / 2) / 1.5, 0, 1)
    picture = cover(legs) * np.clip(fabric(u, x, y, 0.8) * shade * fade, 0, 1)
    return picture * (1 - u(0, 0.5) * cover(0.7 - np.abs(y - top - 2)))


def pullover(u, x, y):
    shoulder = u(6.5, 8.5)
    length = u(9.5, 13)
    body = torso(
        x, y, u(2, 4.2), u(0.5, 4), shoulder, u(1, 2.5), u(6.3, 8), u(6, 7.8), u(5.8, 7.8), length
    )
    arms = sleeves(x, y, shoulder, u(0.5, 1.5), u(9.5, 12), u(6, 11.5), u(1.8, 2.8))
    tone = fabric(u, x, y)
    picture = dressed(u, x, y, body, arms, tone)
    rib = cover(y - length + u(1, 2.5)) + cover(1.2 - np.abs(capsule(x, y, 0, -13.5, 0, -13, 3.5)))
    picture = paint(
        picture, np.clip(rib, 0, 1) * cover(body) * u.chance(0.6) * 0.5, tone * u(0.5, 1.3)
    )
    motif = cover(box(x, y, u(-5, -3), u(-5, -2), u(3, 5), u(-1, 4))) * cover(body - 1)
    return paint(picture, motif * u.chance(0.25) * 0.6, u(0, 1))


def dress(u, x, y):
    shoulder, straps = u(3.5, 6), u.chance(0.55)
    body = torso(
        x,
        y,
        u(1.8, 3.2),
        u(1.5, 5),
        shoulder,
        u(0.5, 2),
        u(3.8, 5.2),
        u(3, 4.6),
        u(4, 8),
        u(11.5, 13.5),
    )
    arms = sleeves(x, y, shoulder, u(0.5, 1.2), u(6, 9), u(-6, 5), u(1.3, 2)) - 30 * straps
    picture = dressed(u, x, y, body, arms, fabric(u, x, y, 0.45))
    folds = np.abs(x / u(1.5, 3) % 1 - 0.5) * cover(y - u(0, 3))
    belt = cover(0.8 - np.abs(y - u(-1.5, 1.5))) * cover(body) * u.chance(0.4)
    return paint(picture * (1 - u(0, 0.5) * folds), belt * 0.7, u(0, 0.6))


def coat(u, x, y):
    shoulder = u(6.5, 8.3)
    body = torso(
        x,
        y,
        u(1.8, 3.5),
        u(0.5, 2.5),
        shoulder,
        u(1, 2.3),
        u(6.3, 7.8),
        u(5.8, 7.5),
        u(6.3, 8.5),
        u(11.5, 13.5),
    )
    arms = sleeves(x, y, shoulder, u(0.5, 1.5), u(9.5, 11.8), u(6.5, 11.5), u(1.9, 2.8))
    tone = fabric(u, x, y, 0.7)
    picture = dressed(u, x, y, body, arms, tone)
    lapel = cover(capsule(np.abs(x), y, u(2.5, 3.5), -12.0, 0.5, u(-6, 0), 1.4)) * cover(body)
    picture = paint(picture, lapel * u.chance(0.6) * 0.8, tone * u(0.5, 1.2))
    picture = front(u, x, y, picture, body, u(0, 0.35), u(0.3, 0.8), u.chance(0.4))
    pocket = cover(0.7 - np.abs(y - u(3, 6))) * cover(1.6 - np.abs(np.abs(x) - 4)) * cover(body)
    return picture * (1 - pocket * u.chance(0.5) * 0.5)


def shirt(u, x, y):
    shoulder, short = u(6.3, 8.3), u.chance(0.3)
    body = torso(
        x,
        y,
        u(2, 4),
        u(0.5, 4.5),
        shoulder,
        u(1, 2.5),
        u(5.8, 7.6),
        u(5, 7),
        u(5.8, 8),
        u(10, 13.3),
    )
    end = short * u(-5, 1) + (1 - short) * u(3, 11)
    arms = sleeves(x, y, shoulder, u(0.5, 1.5), u(9, 11.8), end, u(1.6, 2.6))
    tone = fabric(u, x, y, 0.35)
    picture = dressed(u, x, y, body, arms, tone)
    collar = cover(capsule(np.abs(x), y, u(0.5, 1.2), -9.5, u(2.5, 3.8), -12.0, 0.9)) * cover(
        body + 1
    )
    picture = paint(picture, collar * u.chance(0.85) * 0.9, np.clip(tone * u(0.6, 1.6), 0, 1))
    return front(u, x, y, picture, body, tone * u(0.6, 1.0), 0.5 * u.chance(0.8), u.chance(0.9))


def bag(u, x, y):
    bottom, top, wide, taper = u(7, 12.5), u(-7, 1), u(8, 13), u(-2.5, 1.5)
    half = wide + taper * (y - top) / (bottom - top)
    body = np.minimum(half - np.abs(x), np.minimum(y - top, bottom - y))
    body = np.minimum(body, wide + u(2, 6) - np.abs(x) - np.clip(y - bottom + 3, 0, 9))
    tone = fabric(u, x, y, 0.6)
    peak, spread = np.maximum(top - u(3, 11), -13), wide * u(0.3, 0.9)
    arc = (np.sqrt((x / spread) ** 2 + ((y - top) / (top - peak)) ** 2) - 1) * np.minimum(
        spread, top - peak
    )
    handle = np.minimum(u(0.5, 1.1) - np.abs(arc), top + 0.5 - y)
    picture = cover(handle) * u.chance(0.85) * u(0.3, 1)
    picture = paint(picture, cover(body), tone * (0.8 + 0.2 * np.clip(body / 2, 0, 1)))
    flap_end = top + u(0.25, 0.7) * (bottom - top) - np.abs(x) * u(0, 0.3)
    flap = cover(0.8 - np.abs(y - flap_end)) * cover(body)
    picture = picture * (1 - flap * u.chance(0.6) * u(0.3, 0.8))
    buckle = cover(box(x, y, -1.2, flap_end - 1, 1.2, flap_end + 1.4)) * cover(body)
    return paint(picture, buckle * u.chance(0.5), u(0.3, 1))

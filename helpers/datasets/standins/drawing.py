"""The one way in which all stand-ins are drawn: points moved at random, large, and made small."""

import numpy as np
from PIL import Image, ImageDraw

FINE = 4  # how many times larger a picture is drawn than it will be


def warp(rng, rotation, shear, scale, stretch, shift, bend):
    """A random map of points (n, 2), in pixels from the middle of the picture, as a function.

    `rotation` in degrees, `shear` a ratio and `shift` in pixels are the most there is either way;
    `scale`: (low, high) of the size; `stretch`: of the width alone; `bend`: pixels of a slow wave.
    """
    angle, slant, *move = rng.uniform(-1, 1, 4) * (np.deg2rad(rotation), shear, shift, shift)
    cos, sin = rng.uniform(*scale) * np.array([np.cos(angle), np.sin(angle)])
    matrix = np.array([[rng.uniform(*stretch), 0], [slant, 1]]) @ [[cos, sin], [-sin, cos]]
    wave, phase = rng.uniform(0.15, 0.35, 2), rng.uniform(0, 2 * np.pi, 2)

    def moved(points):
        points = np.asarray(points, float)
        return (points + bend * np.sin(points[:, ::-1] * wave + phase)) @ matrix + move

    return moved


def painted(layers, side, moved):
    """Layers (tone, radius, points) over each other, 0 outside: float (side, side).

    A line is drawn with a round pen of that radius in pixels, a polygon is filled if it is 0.
    """
    picture = Image.new("L", (side * FINE, side * FINE))
    pen = ImageDraw.Draw(picture)
    for tone, radius, points in layers:
        spots = list(map(tuple, ((moved(points) + side / 2) * FINE).tolist()))
        ink, wide = round(255 * tone), radius * FINE
        if radius:
            pen.line(spots, ink, round(2 * wide))
            for spot in spots:
                pen.circle(spot, wide, ink)
        else:
            pen.polygon(spots, ink)
    return np.asarray(picture.reduce(FINE), float) / 255


def cloud(rng, side, knots):
    """Smooth noise of mean 0 from `knots` x `knots` normal numbers: (side, side)."""
    noise = Image.fromarray(rng.normal(0, 1, (knots, knots)).astype("float32"))
    return np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC))

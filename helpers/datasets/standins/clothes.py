"""Ten kinds of clothes: polygons and lines in layers, each cut a little differently, in a fabric.

Neighbouring kinds overlap on purpose (short-sleeved shirts, T-shirts; high sneakers), as in a shop.
"""

from functools import cache

import numpy as np

from helpers.datasets.standins import drawing

WARP = dict(rotation=10, shear=0.1, scale=(0.8, 1.05), stretch=(0.87, 1.1), shift=1.5, bend=0.6)
SHOES = (5, 7, 9)
# A line is a layer of a pattern: its class in Fashion-MNIST and a letter; how often it is there;
# its tone, 1 the fabric's; its radius, 0 for a filled polygon; its points, in pixels from the
# middle, x to the right, y down. Shoes are seen from the side; of the rest, this is the right half.
PATTERNS = """
0a 1  1   0   0,-10 3,-12.5 8,-11 12.5,-5 9.5,-2.5 7.3,-6 7.3,11.5 0,11.5
0a .3 1.4 0   0,-5 4.5,-5 4.5,1 0,1
1a 1  1   0   0,-13 4.8,-13 6,-4 5.5,13 1.7,13 .4,-5 0,-6
2a 1  1   0   0,-10.5 3,-12.5 8,-11 10.5,-5 12,9.5 8.7,10.5 7.2,-3 7.2,11.5 0,11.5
2a .8 .5  .4  7.2,-3 7.6,-11
3a 1  1   0   0,-8 2,-12.5 3.8,-12.5 4.3,-8 3.3,-1 6.5,13 0,13
3a .4 .4  .7  0,-1 2.8,-1
3b 1  1   0   0,-10 2,-12.5 4.7,-12 8,-5 6,-3.5 4.2,-7 3.6,-1 5,13 0,13
4a 1  1   0   0,-10.5 2.5,-12.8 7.5,-11.3 10,-5 11.5,10 8.3,10.7 7,-3 7.6,13 0,13
4a 1  .2  .35 0,-9.5 0,13
4a .8 .5  .4  7,-3 7.3,-11
5a 1  .9  1.3 -12,7 -6,7 0,6 6,5 12,5.3
5a 1  1.2 .8  -10.5,6.5 -9,3.5 -6.5,3.5 -5,6.5 -3.5,1.5 -.5,0 2,1.5 3,5
5a .6 1.1 .7  4,4.5 7,-2 9.5,-2.8 11.5,-1.5 11.8,4.5
5b 1  .9  .9  -12,8 -7,7.5 -1,3 5,-1 11.5,-2 10.3,8
5b .8 1.2 .8  -10.5,7.5 -9,4.5 -6,3 -4.5,5.5
5b .8 1.1 .7  4,-1 6.5,-8 9,-9 11,-8.5 11.5,-2
6a 1  1   0   0,-9.5 2.5,-12.5 7.5,-11 10,-5 11.5,9.5 8.5,10.3 6.8,-3 6.8,12 0,12
6a .8 .5  .4  6.8,-3 7.2,-11
6a .9 .4  .4  0,-9 0,12
6b 1  1   0   0,-9.5 2.5,-12.5 7.5,-11 11.5,-5 9,-3 6.8,-6 6.8,12 0,12
6b .9 1.4 .8  .6,-9.3 3.2,-12
6b .9 .6  .4  0,-9 0,12
7a 1  1   0   -13,6.5 -12,3 -7,1.5 -1,-2 2,-4 5,-1.5 10,-3 12.5,-3.5 13,6.5
7a .6 1.4 .5  -1,4 2,-.5
7a 1  1.4 .9  -12.6,6.6 12.6,6.6
8a 1  1   0   0,-3 10.5,-3 12,11 0,11.5
8a .9 .8  .8  6,-3 5.2,-8 2.5,-10.5 0,-11
8a .6 .5  .4  0,5 4,4 10.5,-2
9a 1  1   0   -13,10 -12.5,6.5 -7,4.5 0,2 1.5,-3 1.5,-12 11,-12 11.3,3 12.3,10
9a .5 .6  0   5,-9 8,-9 7.5,2 5.5,2
"""


def draw(rng, label):
    """A picture of a class of Fashion-MNIST, by one of its patterns: float (28, 28)."""
    patterns, layers = _patterns()[label], []
    for often, tone, radius, points in patterns[rng.integers(len(patterns))]:
        if rng.random() < often:
            right = points + rng.normal(0, 0.5, points.shape)
            halves = [right] if label in SHOES else [right, right[::-1] * (-1, 1)]
            shapes = halves if radius else [np.concatenate(halves)]
            layers += [(tone / 2, radius, shape) for shape in shapes]
    cut = 2 * drawing.painted(layers, 28, drawing.warp(rng, **WARP))
    return cut * _fabric(rng) * rng.normal(1, 0.05, cut.shape)


@cache
def _patterns():
    """For each class a list of patterns, each a list of layers."""
    patterns = {}
    for line in PATTERNS.strip().splitlines():
        key, *numbers = line.split()
        points = np.array([point.split(",") for point in numbers[3:]], float)
        patterns.setdefault(key, []).append((*map(float, numbers[:3]), points))
    return [[patterns[key] for key in patterns if key[0] == str(n)] for n in range(10)]


def _fabric(rng):
    """Cloth: a tone and a slow change of light; plain or with stripes, checks or blotches."""
    across = np.sin(2 * np.pi * (np.arange(28) / rng.uniform(3, 6) + rng.random()))[None, :]
    blotches = np.clip(1.5 * drawing.cloud(rng, 28, 12), -1, 1)
    kinds = [0, across.T, across, (across + across.T) / 2, blotches]
    pattern = kinds[rng.choice(5, p=(0.55, 0.15, 0.1, 0.1, 0.1))]
    tone, bold = rng.uniform((0.3, 0.08), (0.95, 0.25))
    return np.clip(tone + 0.06 * drawing.cloud(rng, 28, 5) + bold * pattern, 0.12, 1)

"""Topologies of small CNNs, of which notebooks/topologies/fill.py filled a table. Notebook 10."""

import functools
import math

import numpy as np

from helpers.store import paths
from helpers.store.backend import keras

PATH = paths.NOTEBOOKS / "topologies" / "letters.csv"
COUNT, EPOCHS, LIMIT = 600, 3, 4_000_000
LABEL = "Table of topologies: EMNIST Letters (part of the official set)"
CONVOLUTIONS, DENSE = 4, 2
# The genes: what each layer may be. A layer that is not there has zeros.
CHOICES = {"filters": (8, 16, 32, 64), "kernel": (3, 5), "pool": (0, 1)}
UNITS, RATES = (32, 64, 128, 256), (0.0, 0.25, 0.5)
GENES = [f"{gene}_{n}" for n in range(1, CONVOLUTIONS + 1) for gene in CHOICES]
GENES += [*(f"units_{n}" for n in range(1, DENSE + 1)), "dropout"]
COLUMNS = ["topology", "seed", *GENES, "parameters", "multiplications"]
COLUMNS += [*(f"accuracy_{epoch + 1}" for epoch in range(EPOCHS)), "seconds", "data"]


def joined(convolutions, units, dropout):
    """A topology, a dict from gene to value, of convolutions (filters, kernel, pool), one or more,
    the units of dense layers, and the share that dropout silences before each dense layer."""
    flat = [value for layer in convolutions for value in layer]
    flat += [0] * (len(CHOICES) * CONVOLUTIONS - len(flat))
    return dict(zip(GENES, [*flat, *units, *[0] * (DENSE - len(units)), dropout], strict=True))


def layers_of(topology):
    """The three arguments of `joined`, without the layers that are not there."""
    numbers = range(1, CONVOLUTIONS + 1)
    rows = [[int(topology[f"{gene}_{n}"]) for gene in CHOICES] for n in numbers]
    units = [int(topology[f"units_{n}"]) for n in range(1, DENSE + 1)]
    return [row for row in rows if row[0]], [n for n in units if n], float(topology["dropout"])


def network(topology, image_shape, classes):
    """The topology as an uncompiled network from uint8 images (n, height, width, 1) to class
    probabilities. Convolutions are padded, pooling is 2x2, activations are ReLU."""
    convolutions, units, dropout = layers_of(topology)
    stack = [keras.layers.Input(image_shape, dtype="uint8"), keras.layers.Rescaling(1 / 255)]
    for filters, kernel, pool in convolutions:
        stack.append(keras.layers.Conv2D(filters, kernel, padding="same", activation="relu"))
        stack += [keras.layers.MaxPooling2D(2)] * pool
    stack.append(keras.layers.Flatten())
    for number, activation in [*((n, "relu") for n in units), (classes, "softmax")]:
        stack += [keras.layers.Dropout(dropout)] if dropout else []
        stack.append(keras.layers.Dense(number, activation=activation))
    return keras.Sequential(stack)


def multiplications(topology, image_shape=(28, 28, 1), classes=26):
    """Multiplications of a topology for one image, the bias left out."""
    convolutions, units, _ = layers_of(topology)
    (height, width, channels), total = image_shape, 0
    for filters, kernel, pool in convolutions:
        total += height * width * kernel**2 * channels * filters
        height, width, channels = height // (1 + pool), width // (1 + pool), filters
    sizes = [height * width * channels, *units, classes]
    return total + sum(math.prod(pair) for pair in zip(sizes, sizes[1:]))


def drawn(rng):
    """A random topology of at most LIMIT multiplications: each number of layers is as likely as
    another, and so is each value of a layer; what costs more is drawn again."""
    while True:
        convolutions = [
            [int(rng.choice(values)) for values in CHOICES.values()]
            for _ in range(rng.integers(1, CONVOLUTIONS + 1))
        ]
        units = [int(rng.choice(UNITS)) for _ in range(rng.integers(0, DENSE + 1))]
        topology = joined(convolutions, units, float(rng.choice(RATES)))
        if multiplications(topology) <= LIMIT:
            return topology


@functools.cache
def sample():
    """The topologies of the table, a list: COUNT different ones, always the same."""
    rng, found = np.random.default_rng(0), {}
    while len(found) < COUNT:
        topology = drawn(rng)
        found.setdefault(tuple(topology.values()), topology)
    return list(found.values())


def load(path=PATH):
    """The table, a pandas frame with a row for each topology and seed (notebooks/topologies)."""
    import pandas as pd

    return pd.read_csv(path)

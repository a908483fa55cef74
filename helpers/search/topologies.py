"""Topologies of small CNNs, and a table of many, each trained alike. Notebook 10.

    python -m helpers.search.topologies [--cores 1]

goes on with the table wherever it was left. A row is one topology and one seed.
"""

import argparse
import functools
import math
import os
import sys
import time

import numpy as np

from helpers import batches, datasets, training
from helpers.store import files, locks, paths, startup
from helpers.store.backend import keras
from helpers.store.paths import UserError

PATH = paths.NOTEBOOKS / "topologies" / "letters.csv"
COUNT, SEEDS, EPOCHS, LIMIT = 600, 2, 3, 4_000_000
SIZES = 5000, 2500  # images to learn from, and to validate on; no test image is looked at
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


def train(topology, seeds, parts, classes):
    """Train a topology from each seed: Adam, batches of 64, a constant rate, so that after one
    epoch it is what a training of one epoch would be. Yields for each seed (network, accuracies on
    the validation images by epoch, processor seconds; with the first seed Keras builds, too)."""
    keras.backend.clear_session()
    model, state = None, lambda one: [*one.variables, *one.optimizer.variables]
    for seed in seeds:
        keras.utils.set_random_seed(seed)
        fresh = network(topology, parts.x_train.shape[1:], classes)
        loss = "sparse_categorical_crossentropy"
        options = training.compile_options()
        fresh.compile(keras.optimizers.Adam(0.002), loss, metrics=["accuracy"], **options)
        fresh.optimizer.build(fresh.trainable_variables)
        model = model or fresh  # traced once: another seed costs less, and comes out the same
        for old, new in zip(state(model), state(fresh), strict=True):
            old.assign(new)
        feed = batches.Batches(parts.x_train, parts.y_train, 64, seed, {})
        started = time.process_time()
        history = training.run_epochs(model, parts, feed, EPOCHS, []).history
        yield model, history["val_accuracy"], time.process_time() - started


def load(path=PATH):
    """The table, a pandas frame with a row for each topology and seed (notebooks/topologies)."""
    import pandas as pd

    return pd.read_csv(path)


def fill(path=PATH, cores=1):
    """Train what the table has not yet, a hundred topologies at most, one by one, so that whatever
    is there is a random sample with all seeds. Returns whether some are left; UserError for the
    table of other images."""
    os.environ |= dict.fromkeys(("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), f"{cores}")

    def refuse(holder):
        raise UserError(f"Another process fills {path}: {holder}. Wait for it to end.")

    with locks.held(paths.DATA / "trained" / f"{path.stem}.lock", refuse):
        tasks = _missing(path)
        print(f"{path}: {len(tasks)} of {COUNT} topologies to train.", flush=True)
        parts, classes, known = images()
        for number, seeds in tasks[:100]:
            outcomes = zip(seeds, train(sample()[number], seeds, parts, classes))
            for seed, (model, accuracies, seconds) in outcomes:
                row = [number, seed, *sample()[number].values()]
                row += [model.count_params(), multiplications(sample()[number])]
                row += [*(f"{value:.4f}" for value in accuracies), f"{seconds:.2f}", known]
                with open(path, "a", encoding="utf-8") as file:
                    file.write(",".join(map(str, row)) + "\n")
                print(f"topology {number}, seed {seed}: {accuracies[-1]:.4f}", flush=True)
    return len(tasks) > 100


def _missing(path):
    """(number, seeds) of the topologies whose rows are not there. A last line that was cut off is
    taken away, a table that is not there is begun."""
    content, header = path.read_bytes() if path.exists() else b"", ",".join(COLUMNS) + "\n"
    whole = content[: content.rfind(b"\n") + 1] or header.encode()
    first, *lines = whole.decode().splitlines()
    if first != header.strip() or any(not line.endswith(images()[2]) for line in lines):
        raise UserError(f"{path} has other columns, or is of other images: move it away first.")
    if whole != content:
        files.save_bytes(path, whole)
    there = {tuple(line.split(",")[:2]) for line in lines}
    seeds = [[s for s in range(SEEDS) if (f"{n}", f"{s}") not in there] for n in range(COUNT)]
    return [(number, some) for number, some in enumerate(seeds) if some]


@functools.cache
def images():
    """(split, classes, first signs of the data's SHA-256) of the letters that the table is of."""
    data = datasets.load("emnist_letters")
    if data.meta["kind"] == "stand-in":
        raise UserError("The table is of real images only: give MIRROR=DIR, or a network.")
    return batches.split(data, *SIZES), data.classes, data.meta["sha256"][:8]


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m helpers.search.topologies", description=__doc__)
    parser.add_argument("--cores", type=int, default=1, help="for each training (1)")
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        if fill(cores=max(1, options.cores)):  # TensorFlow keeps 15 MB of each: a new process
            os.execv(sys.executable, [sys.executable, "-m", __spec__.name, *sys.argv[1:]])
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted: the rows that are there stay.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

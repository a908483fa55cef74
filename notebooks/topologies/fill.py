"""Goes on with the table of topologies wherever it was left; `--help` tells the options."""

import argparse
import functools
import os
import sys
import time

from helpers import batches, datasets, training
from helpers.search.topologies import (
    COLUMNS,
    COUNT,
    EPOCHS,
    PATH,
    multiplications,
    network,
    sample,
)
from helpers.store import files, locks, paths, startup
from helpers.store.backend import keras
from helpers.store.paths import UserError

SEEDS = 2
SIZES = 5000, 2500  # images to learn from, and to validate on; no test image is looked at


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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cores", type=int, default=1, help="for each training (1)")
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        if fill(cores=max(1, options.cores)):  # TensorFlow keeps 15 MB of each: a new process
            os.execv(sys.executable, [sys.executable, *sys.argv])
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted: the rows that are there stay.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())

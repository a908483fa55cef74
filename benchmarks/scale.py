"""Scale: the same network fed from 700,000 images and from 10,000, within epochs, and the memory
that takes."""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import measure
from benchmarks.worker import Worker, ready

LARGE, SMALL, VALIDATION, WINDOW = (
    700_000,
    10_000,
    1_000,
    40_000,
)  # images; WINDOW: learnt from in one measurement
RUN = "emnist-third-bymerge"


def write(folder, count):
    """A data set of so many images, memory-mapped from .npy files as a prepared one is: stand-ins,
    begun again from the front."""
    from helpers import datasets
    from helpers.datasets import arrays as idx

    drawn = datasets.load("emnist_bymerge", mode="stand-in")
    chunks = [
        range(start, min(start + 20_000, count + VALIDATION))
        for start in range(0, count + VALIDATION, 20_000)
    ]
    side = drawn.x_train.shape[1:]
    for key, array, shape in (("x_train", drawn.x_train, side), ("y_train", drawn.y_train, ())):
        array = np.asarray(array)
        idx.save_npy(
            folder / f"{key}.npy",
            (count + VALIDATION, *shape),
            (array[np.asarray(chunk) % len(array)].tobytes() for chunk in chunks),
        )
    for key in ("x_test", "y_test"):
        array = np.asarray(getattr(drawn, key))
        idx.save_npy(folder / f"{key}.npy", array.shape, [array.tobytes()])


def fed(folder, meta):
    """A measurement of training from a folder's images; returns images a second within epochs, and
    GB that the first `fit` took at its peak."""
    from benchmarks.train import compiled
    from helpers import batches, datasets, training
    from helpers.datasets import arrays as idx
    from helpers.store.backend import keras

    keras.utils.set_random_seed(0)
    data = datasets.Dataset(
        "emnist_bymerge",
        **idx.open_folder(Path(folder)),
        hand_train=None,
        hand_test=None,
        meta=meta,
    )
    parts = batches.split(data, 0, VALIDATION, 0)
    model, batch_size = compiled(RUN, data)

    def fit():
        clock = clock_callback(batch_size)
        training.fit(model, parts, seed=0, batch_size=batch_size, epochs=100, callbacks=[clock])
        return clock.images / clock.seconds

    fit()
    peak = (
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        * (1 if sys.platform == "darwin" else 1024)
        / 1e9
    )
    return lambda: (fit(), peak)


def clock_callback(batch_size):
    """A callback that counts images and seconds within epochs, from the first time that the
    training comes back to Python, and stops after WINDOW images."""
    from helpers.store.backend import keras

    class Clock(keras.callbacks.Callback):
        images, seconds, last = 0, 0.0, None

        def on_epoch_begin(self, epoch, logs=None):
            self.last = None

        def on_train_batch_end(self, batch, logs=None):
            now = time.perf_counter()
            if self.last:
                self.images += (batch - self.last[0]) * batch_size
                self.seconds += now - self.last[1]
            self.last = batch, now
            if self.images >= WINDOW:
                self.model.stop_training = True

    return Clock()


def scale(say=print):
    """Rows `scale`, the ratio of the two speeds, and `scale.memory`, gigabytes at the peak with the
    large set."""
    from helpers import datasets

    meta = datasets.load("emnist_bymerge", mode="stand-in").meta
    with tempfile.TemporaryDirectory() as name:
        for count in (LARGE, SMALL):
            (Path(name) / str(count)).mkdir()
            write(Path(name) / str(count), count)
        say(f"  emnist_third, {LARGE:,} images over {SMALL:,}; images a second")
        with (
            Worker(fed, f"{name}/{LARGE}", meta) as large,
            Worker(fed, f"{name}/{SMALL}", meta) as small,
        ):
            ready(large, small)
            peaks = []

            def of_large():
                speed, peak = large.measure()
                peaks.append(peak)
                return speed

            pairs = measure.alternate(of_large, lambda: small.measure()[0], say)
    say(f"    memory at the peak: {max(peaks):.2f} GB")
    return {"scale": measure.ratios(pairs), "scale.memory": peaks[:1]}

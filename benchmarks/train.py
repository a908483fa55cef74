"""Training: images a second over whole epochs, ours against plain Keras `fit` on float32 NumPy
arrays.

Same network, optimiser, batch size, images and epochs, the validation after each epoch included. A
first epoch on both sides, in which TensorFlow traces its graphs, is not counted.
"""

import time

from benchmarks import images, measure, rows
from benchmarks.worker import Worker, ready, together

# Images of the training part and epochs of one measurement: a few seconds each. A tenth as many
# images for validation.
RUNS = dict(
    zip(
        rows.NETWORKS,
        [(36_000, 2), (9_600, 1), (9_600, 1), (28_800, 1), (4_800, 1), (256, 1)],
        strict=True,
    )
)


def compiled(run, data, plain=False):
    """The run's network, compiled with the parameters of its full protocol. `plain`: for float
    images, with nothing set for speed."""
    from helpers import models, runs, training
    from helpers.store.backend import keras

    values = runs.parameters(run, "full")
    model = getattr(models, values["network"])(data.image_shape, data.classes)
    if plain:
        model = keras.Sequential(
            [keras.Input(data.image_shape), *model.layers[1:]]
        )  # without the layer that scales bytes
    model.compile(
        optimizer=training.optimizer(values["optimizer"], values["learning_rate"]),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **({} if plain else training.compile_options()),
    )
    return model, values["batch_size"]


def ours(run, count, epochs, seed, setting="none"):
    """A measurement of `training.fit`, as the notebooks call it: returns images, start and end on
    the clock that all processes share."""
    from helpers import runs, training
    from helpers.store.backend import keras

    keras.utils.set_random_seed(seed)
    data, parts = images.parts(runs.parameters(run, "full")["dataset"], count, count // 10)
    model, batch_size = compiled(run, data)

    def fit():
        started = time.perf_counter()
        training.fit(model, parts, seed=seed, batch_size=batch_size, epochs=epochs, setting=setting)
        return count * epochs, started, time.perf_counter()

    fit()
    return fit


def plain(run, count, epochs, seed):
    """The same with what a careful user writes: arrays scaled to float32 beforehand, `fit` as it
    comes."""
    from helpers import runs
    from helpers.store.backend import keras

    keras.utils.set_random_seed(seed)
    data, parts = images.parts(runs.parameters(run, "full")["dataset"], count, count // 10)
    model, batch_size = compiled(run, data, plain=True)
    x, x_validation = (
        parts.x_train.astype("float32") / 255,
        parts.x_validation.astype("float32") / 255,
    )

    def fit():
        started = time.perf_counter()
        model.fit(
            x,
            parts.y_train,
            batch_size=batch_size,
            epochs=epochs,
            validation_data=(x_validation, parts.y_validation),
            verbose=0,
        )
        return count * epochs, started, time.perf_counter()

    fit()
    return fit


def rate(found):
    """Images a second of measurements that ran side by side: all their images, from the first start
    to the last end."""
    return sum(count for count, _, _ in found) / (
        max(end for _, _, end in found) - min(start for _, start, _ in found)
    )


def workers(run, count, epochs, setting="none"):
    """Our side: two seeds side by side, one thread each, as the grid places them on two cores."""
    return [Worker(ours, run, count, epochs, seed, setting, threads=1) for seed in range(2)]


def train(say=print):
    """Rows: `train`, the geometric mean of the networks, and one for each of them."""
    found = {}
    for run, (count, epochs) in RUNS.items():
        say(f"  {run}: {count:,} images, {epochs} epochs; images a second, ours over plain fit")
        found[run] = _compared(
            workers(run, count, epochs), Worker(plain, run, count, epochs, 0), say
        )
    return {
        "train": measure.geometric_means(found.values()),
        **{f"train.{run}": series for run, series in found.items()},
    }


def _compared(side_by_side, other, say):
    ready(*side_by_side, other)
    pairs = measure.alternate(
        lambda: rate(together(*side_by_side)), lambda: rate([other.measure()]), say
    )
    for worker in (*side_by_side, other):
        worker.close()
    return measure.ratios(pairs)

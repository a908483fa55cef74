"""Augmentation: what fresh random transformations cost an epoch, and how fast they are made."""

import time

from benchmarks import images, measure
from benchmarks.train import ours, workers
from benchmarks.worker import Worker, ready, together

RUN, COUNT, BATCH = "fingers-carlosnet-plain", 2_400, 32
SETTING = "strong"  # that of the fingers report: flips, 90 degrees, shifts and zooms of a fifth


def augment(say=print):
    """Rows: seconds of a carlosnet epoch on transformed images over those of a plain one, of one
    training that has the machine to itself; and of two side by side."""
    say(f"  carlosnet, {COUNT:,} images; seconds, transformed over plain")
    alone = _compared(
        [Worker(ours, RUN, COUNT, 1, 0)], [Worker(ours, RUN, COUNT, 1, 0, SETTING)], say
    )
    say("  the same, two seeds side by side with one thread each")
    return {
        "augment": alone,
        "augment.side_by_side": _compared(
            workers(RUN, COUNT, 1), workers(RUN, COUNT, 1, SETTING), say
        ),
    }


def _compared(plain, transformed, say):
    ready(*plain, *transformed)
    pairs = measure.alternate(
        lambda: _seconds(together(*transformed)), lambda: _seconds(together(*plain)), say
    )
    for worker in plain + transformed:
        worker.close()
    return measure.ratios(pairs)


def _seconds(found):
    return max(end for _, _, end in found) - min(start for _, start, _ in found)


def composed(count):
    """A measurement of our batches alone: one affine warp an image. Returns images a second."""
    from helpers import augmentation, batches

    _, parts = images.parts("fingers", count, 1200)
    made = batches.Batches(parts.x_train, parts.y_train, BATCH, 0, augmentation.SETTINGS[SETTING])
    return lambda: _drained(made.feed(), count)


def layered(count):
    """The same transformations as Keras's preprocessing layers, one after another, mapped over
    batches in parallel and prefetched."""
    import tensorflow as tf

    from helpers.augmentation import SETTINGS
    from helpers.store.backend import keras  # before TensorFlow, which then says nothing on the way

    amount = SETTINGS[SETTING]
    _, parts = images.parts("fingers", count, 1200)
    layers = [
        keras.layers.RandomFlip("horizontal_and_vertical"),
        keras.layers.RandomRotation(amount["rotation"] / 360, fill_mode="nearest"),
        keras.layers.RandomTranslation(amount["shift"], amount["shift"], fill_mode="nearest"),
        keras.layers.RandomZoom(amount["zoom"], fill_mode="nearest"),
    ]

    def transformed(batch, labels):
        batch = tf.cast(batch, tf.float32)
        for layer in layers:
            batch = layer(batch, training=True)
        return batch, labels

    made = (
        tf.data.Dataset.from_tensor_slices((parts.x_train, parts.y_train))
        .shuffle(count)
        .batch(BATCH)
    )
    made = made.map(transformed, num_parallel_calls=tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)
    return lambda: _drained(made, count)


def _drained(feed, count):
    started = time.perf_counter()
    seen = sum(len(labels) for _, labels in feed)
    if seen != count:
        raise RuntimeError(f"{seen} images came out of a pipeline of {count}")
    return count / (time.perf_counter() - started)


def augment_pipeline(say=print):
    """Row `augment_pipeline`: transformed images a second, ours over separate layers."""
    say(f"  {COUNT:,} images of 128 x 128; images a second, ours over Keras's layers")
    with Worker(composed, COUNT) as ours, Worker(layered, COUNT) as other:
        ready(ours, other)
        for worker in (ours, other):
            worker.measure()  # a first pass traces the graphs
        return {
            "augment_pipeline": measure.ratios(measure.alternate(ours.measure, other.measure, say))
        }

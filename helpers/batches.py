"""Which images a network sees, and in which order: the split, and the batches of each epoch.

With TensorFlow the batches come from `tf.data`, which prepares the next ones while the network learns; elsewhere from a
`keras.utils.PyDataset`. Both give the same images in the same order.
"""

import hashlib
import weakref
from dataclasses import dataclass

import numpy as np

from helpers import augmentation, datasets
from helpers.datasets import arrays as idx
from helpers.store.backend import keras
from helpers.store.paths import UserError

# Batches that are prepared ahead, and that TensorFlow runs without coming back to Python (`steps_per_execution`). Speed only: results are the same.
STEPS = 16


@dataclass(frozen=True)
class Split:
    """uint8 images (n, height, width, 1) and labels (n,) to learn from, to choose by, and to report on."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    identity: str  # of the data and the choice of images

    @property
    def sizes(self):
        """Images in the three parts."""
        return {
            "train": len(self.y_train),
            "validation": len(self.y_validation),
            "test": len(self.y_test),
        }

    def each(self):
        """(name, images, labels) of the three parts; the test part comes last."""
        return [
            (part, getattr(self, f"x_{part}"), getattr(self, f"y_{part}")) for part in self.sizes
        ]


def split(data, train_images=0, validation_images=0, test_images=0):
    """Cut the data set's training images into training and validation parts; the test set is left alone.

    The validation part is the same for every seed and every training size: stratified by class (and hand). A size of 0 means all of them,
    a smaller number a stratified part; `validation_images` 0 means a fifth, -1 as many as test images. Raises UserError if there are too few.
    """
    available = len(data.y_train)
    held_out = {0: available // 5, -1: len(data.y_test)}.get(validation_images, validation_images)
    if held_out + max(train_images, data.classes) > available:
        raise UserError(
            f"{data.label} has {available:,} training images, too few for {train_images:,} to train on and "
            f"{held_out:,} to validate on: ask for fewer."
        )
    train, validation = datasets.split(data.y_train, held_out, seed=0, strata=data.hand_train)
    if train_images and train_images < len(train):
        hands = None if data.hand_train is None else data.hand_train[train]
        train = train[datasets.split(data.y_train[train], train_images, seed=1, strata=hands)[1]]
    test = np.arange(len(data.y_test))
    if test_images and test_images < len(test):
        test = datasets.split(data.y_test, test_images, seed=2, strata=data.hand_test)[1]
    x_train, x_validation, x_test = (
        data.x_train[train][..., None],
        data.x_train[validation][..., None],
        data.x_test[test][..., None],
    )
    for array in (data.x_train, data.x_test):
        idx.forget(array)  # copied: half a gigabyte for ByMerge
    identity = hashlib.sha256(
        b"".join(
            [
                data.meta["sha256"].encode(),
                train.astype("<i8").tobytes(),
                validation.astype("<i8").tobytes(),
                test.astype("<i8").tobytes(),
            ]
        )
    ).hexdigest()
    return Split(
        x_train,
        data.y_train[train],
        x_validation,
        data.y_train[validation],
        x_test,
        data.y_test[test],
        identity,
    )


def evaluation_batch(images):
    """Batch size for prediction: a thousand small images, a hundred 128x128 ones, whose activations would fill gigabytes."""
    return 1000 if images.shape[1] <= 32 else 100


class Batches:
    """Shuffled, optionally augmented batches. The order and the transformations of an epoch follow from seed and epoch alone."""

    def __init__(self, x, y, batch_size, seed, setting):
        self.x, self.y, self.batch_size, self.seed, self.setting = x, y, batch_size, seed, setting
        self.epoch = 0

    @property
    def steps(self):
        """Batches an epoch; the last may be smaller."""
        return -(-len(self.y) // self.batch_size)

    def plan(self):
        """This epoch's order (n,) int64 and warp coefficients (n, 8) float32 (empty (n, 0) where nothing is warped)."""
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(len(self.y))
        if not self.setting:
            return order, np.empty((len(order), 0), "float32")
        return order, augmentation.transforms(rng, len(order), self.x.shape[1:3], **self.setting)

    def feed(self):
        """What `fit` takes: a tf.data.Dataset, or a PyDataset where the back end is not TensorFlow."""
        self.begin(0)
        return _feed(self.steps, self.batch)

    def begin(self, epoch):
        """Draw the plan by which `batch` goes from now on."""
        self.epoch = epoch
        self.planned = self.plan()

    def batch(self, step):
        """Images (b, height, width, 1) uint8 and labels (b,) of one batch of this epoch."""
        order, coefficients = self.planned
        part = slice(step * self.batch_size, (step + 1) * self.batch_size)
        images = self.x[order[part]]
        return (augmentation.warp(images, coefficients[part]) if self.setting else images), self.y[
            order[part]
        ]


def in_order(*arrays):
    """Batches of images (n, height, width, 1), with labels (n,) if given, in their order: what `fit` takes to validate on, or `predict`."""
    size = evaluation_batch(arrays[0])
    return _feed(
        -(-len(arrays[0]) // size),
        lambda step: tuple(array[step * size : (step + 1) * size] for array in arrays),
    )


def _feed(steps, batch):
    # `steps` batches, each as `batch(step)` gives it, a tuple of arrays.
    if keras.backend.backend() != "tensorflow":
        return _Sequence(steps, batch)
    import tensorflow as tf

    kinds = [
        (array.dtype, array.shape[1:]) for array in batch(0)
    ]  # which also compiles the warp, before TensorFlow's threads come to it

    def taken(step):
        return batch(step)

    def made(step):
        parts = tf.numpy_function(lambda step: weak()(step), [step], [dtype for dtype, _ in kinds])
        for part, (_, shape) in zip(parts, kinds, strict=True):
            part.set_shape([None, *shape])
        return tuple(parts)

    # TensorFlow keeps every function that was ever given to `numpy_function`, and with it its images. The dataset keeps `made` only as long as it lives itself.
    weak, made.taken = weakref.ref(taken), taken
    options = tf.data.Options()
    options.autotune.enabled = False  # there is nothing to tune, and with it `fit` stands still for up to a second at its end (benchmarks/NOTES.md)
    return (
        tf.data.Dataset.range(steps)
        .map(made, num_parallel_calls=2, deterministic=True)
        .prefetch(STEPS)
        .with_options(options)
    )


class _Sequence(keras.utils.PyDataset):
    def __init__(self, steps, batch):
        super().__init__()
        self.steps, self.batch = steps, batch

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        return self.batch(step)


class NextEpoch(keras.callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.begin(epoch)

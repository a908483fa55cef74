"""Which images a network sees, and in which order: the split, and the batches of each epoch.

With TensorFlow the batches come from `tf.data`, which prepares the next ones while the network
learns; elsewhere from a `keras.utils.PyDataset`. Both give the same images in the same order.
"""

import hashlib
import weakref
from dataclasses import dataclass

import numpy as np

from helpers import augmentation, datasets
from helpers.datasets.arrays import forget
from helpers.store.backend import keras
from helpers.store.paths import UserError

STEPS = 16  # batches prepared ahead, and run by TensorFlow at once: speed only, no other results


@dataclass(frozen=True)
class Split:
    """uint8 images (n, height, width, 1) and labels (n,) to learn from, to choose by, to report on.
    `identity` names the data and the choice of images."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    identity: str

    @property
    def sizes(self):
        """Images in the three parts."""
        return {name: len(labels) for name, _, labels in self.each()}

    def each(self):
        """(name, images, labels) of the three parts; the test part comes last."""
        names = ("train", "validation", "test")
        return [(name, getattr(self, f"x_{name}"), getattr(self, f"y_{name}")) for name in names]


def split(data, train_images=0, validation_images=0, test_images=0, choice=0):
    """Cut the training images into training and validation parts; the test set is left alone.

    The validation part is the same for every seed and every training size, another one for another
    `choice`: stratified by class (and hand). 0 means all of them, a smaller size a stratified part;
    `validation_images` 0 means a fifth, -1 as many as test images. UserError if there are too few;
    with a set of one's own the sizes are made to fit, and the line that is printed says so.
    """
    train_images, held_out = _fitting(data, train_images, validation_images, test_images)
    train, validation = datasets.split(data.y_train, held_out, choice, data.hand_train)
    return cut(data, train, validation, train_images, test_images)


def cut(data, train, validation, train_images, test_images):
    """A `Split` into so many of the training images at the indices `train`, those at `validation`
    (None: the test images there too) and so many test images; 0 means all."""
    train = _part(train, train_images, 1, data.y_train, data.hand_train)
    test = _part(np.arange(len(data.y_test)), test_images, 2, data.y_test, data.hand_test)
    learn = _taken(data.x_train, data.y_train, train)
    report = choose = _taken(data.x_test, data.y_test, test)
    chosen, name = (train, test), b"watched" + data.meta["sha256"].encode()
    if validation is not None:
        choose = _taken(data.x_train, data.y_train, validation)
        chosen, name = (train, validation, test), data.meta["sha256"].encode()
    name += b"".join(index.astype("<i8").tobytes() for index in chosen)
    return Split(*learn, *choose, *report, hashlib.sha256(name).hexdigest())


def _fitting(data, train_images, validation_images, test_images):
    """Images to train on (0: all that are left) and to validate on, no more than there are."""
    available, test = len(data.y_train), len(data.y_test)
    held_out = {0: available // 5, -1: test}.get(validation_images, validation_images)
    if held_out and held_out + max(train_images, data.classes) <= available:
        return train_images, held_out
    asked, held_out = f"{held_out:,} to validate on", min(held_out, available // 5)
    train = min(train_images or available, available - held_out)
    if data.name in datasets.NAMES or not held_out or train < data.classes:
        raise UserError(
            f"{data.label} has {available:,} training images of {data.classes} classes, too few "
            f"for {train_images or 'some'} to train on and {asked}: ask for fewer, or add images."
        )
    sizes = train, held_out, min(test_images or test, test)
    told = "{:,} to train on, {:,} to validate on, {:,} to test on".format(*sizes)
    print(f"{data.label} has fewer images than were asked for: {told}.")
    return train_images, held_out


def _part(indices, count, seed, labels, hands):
    """`count` of the images at these indices, stratified by class (and hand); 0: all of them."""
    if not 0 < count < len(indices):
        return indices
    strata = None if hands is None else hands[indices]
    return indices[datasets.split(labels[indices], count, seed, strata)[1]]


def _taken(images, labels, indices):
    """Copies of the images (n, height, width, 1) and labels (n,) at these indices. The memory that
    holds what was read of the file is given back: half a gigabyte for ByMerge."""
    copies = images[indices][..., None], labels[indices]
    forget(images)
    return copies


class Batches:
    """Shuffled, optionally augmented batches, which follow from seed and epoch alone."""

    def __init__(self, x, y, batch_size, seed, setting):
        self.x, self.y, self.batch_size, self.seed, self.setting = x, y, batch_size, seed, setting
        self.steps = -(-len(y) // batch_size)  # batches an epoch; the last may be smaller

    def feed(self):
        """What `fit` takes: a tf.data.Dataset, or a PyDataset without TensorFlow."""
        self.begin(0)
        return _feed(self.steps, self.batch)

    def begin(self, epoch):
        """Draw what `batch` goes by from now on: the epoch's order (n,) int64 and, where images
        are warped, coefficients (n, 8) float32."""
        rng = np.random.default_rng([self.seed, epoch])
        self.order, self.coefficients = rng.permutation(len(self.y)), None
        if self.setting:
            n, shape = len(self.y), self.x.shape[1:3]
            self.coefficients = augmentation.transforms(rng, n, shape, **self.setting)

    def batch(self, step):
        """Images (b, height, width, 1) uint8 and labels (b,) of one batch of this epoch."""
        here = slice(step * self.batch_size, (step + 1) * self.batch_size)
        images, labels = self.x[self.order[here]], self.y[self.order[here]]
        if self.setting:
            images = augmentation.warp(images, self.coefficients[here])
        return images, labels


class NextEpoch(keras.callbacks.Callback):
    """Tells batches which epoch begins."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        """Called by Keras."""
        self.batches.begin(epoch)


def pieces(*arrays):
    """Images (n, height, width, 1), with labels (n,) if given, cut into batches in their order."""
    n, height = arrays[0].shape[:2]
    size = 1000 if height <= 32 else 100  # activations of a thousand 128x128 ones fill gigabytes
    return [tuple(array[start : start + size] for array in arrays) for start in range(0, n, size)]


def in_order(*arrays):
    """What `fit` and `predict` take, with the batches of `pieces`."""
    batches = pieces(*arrays)
    return _feed(len(batches), batches.__getitem__)


def _feed(steps, batch):
    # `steps` batches, each as `batch(step)` gives it, a tuple of arrays.
    if keras.backend.backend() != "tensorflow":
        return _Sequence(steps, batch)
    import tensorflow as tf

    # The first batch also compiles the warp, before TensorFlow's threads come to it.
    dtypes, shapes = zip(*((array.dtype, array.shape[1:]) for array in batch(0)))

    def taken(step):
        return batch(step)

    @tf.autograph.experimental.do_not_convert  # it would leave a file in /tmp for each kernel
    def made(step):
        tensors = tf.numpy_function(lambda step: weak()(step), [step], dtypes)
        for tensor, shape in zip(tensors, shapes, strict=True):
            tensor.set_shape([None, *shape])
        return tuple(tensors)

    # TensorFlow keeps every function that was ever given to `numpy_function`, and with it its
    # images. The dataset keeps `made` only as long as it lives itself.
    weak, made.taken = weakref.ref(taken), taken
    options = tf.data.Options()
    # There is nothing to tune, and with it `fit` stands still at its end (benchmarks/NOTES.md).
    options.autotune.enabled = False
    steps = tf.data.Dataset.range(steps).map(made, num_parallel_calls=2, deterministic=True)
    return steps.prefetch(STEPS).with_options(options)


class _Sequence(keras.utils.PyDataset):
    def __init__(self, steps, batch):
        super().__init__()
        self.steps, self.batch = steps, batch

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        return self.batch(step)

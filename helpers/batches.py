"""Which images a network sees, and in which order: the split, and the batches of each epoch.

With TensorFlow the batches come from `tf.data`, which prepares the next ones while the network learns; elsewhere from a
`keras.utils.PyDataset`. Both give the same images in the same order.
"""

import hashlib
from dataclasses import dataclass

import numpy as np

from helpers import augmentation, datasets, idx
from helpers.backend import keras
from helpers.paths import UserError

# Batches that TensorFlow prepares ahead, and runs without coming back to Python (`steps_per_execution`). Speed only: results are the same.
STEPS = 16
PIECE = 2**26  # bytes handed to TensorFlow at once


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
        return {"train": len(self.y_train), "validation": len(self.y_validation), "test": len(self.y_test)}

    def each(self):
        """(name, images, labels) of the three parts; the test part comes last."""
        return [(part, getattr(self, f"x_{part}"), getattr(self, f"y_{part}")) for part in self.sizes]


def split(data, train_images=0, validation_images=0, test_images=0):
    """Cut the data set's training images into training and validation parts; the test set is left alone.

    The validation part is the same for every seed and every training size: stratified by class (and hand). A size of 0 means all of them,
    a smaller number a stratified part; `validation_images` 0 means a fifth, -1 as many as test images. Raises UserError if there are too few.
    """
    available = len(data.y_train)
    held_out = {0: available // 5, -1: len(data.y_test)}.get(validation_images, validation_images)
    if held_out + max(train_images, data.classes) > available:
        raise UserError(f"{data.label} has {available:,} training images, too few for {train_images:,} to train on and "
                              f"{held_out:,} to validate on: ask for fewer.")
    train, validation = datasets.split(data.y_train, held_out, seed=0, strata=data.hand_train)
    if train_images and train_images < len(train):
        hands = None if data.hand_train is None else data.hand_train[train]
        train = train[datasets.split(data.y_train[train], train_images, seed=1, strata=hands)[1]]
    test = np.arange(len(data.y_test))
    if test_images and test_images < len(test):
        test = datasets.split(data.y_test, test_images, seed=2, strata=data.hand_test)[1]
    x_train, x_validation, x_test = data.x_train[train][..., None], data.x_train[validation][..., None], data.x_test[test][..., None]
    for array in (data.x_train, data.x_test):
        idx.forget(array)  # copied: half a gigabyte for ByMerge
    identity = hashlib.sha256(b"".join([data.meta["sha256"].encode(), train.astype("<i8").tobytes(),
                                        validation.astype("<i8").tobytes(), test.astype("<i8").tobytes()])).hexdigest()
    return Split(x_train, data.y_train[train], x_validation, data.y_train[validation], x_test, data.y_test[test], identity)


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
        return self._tensorflow() if keras.backend.backend() == "tensorflow" else _Sequence(self)

    def _tensorflow(self):
        import tensorflow as tf

        images, labels = _in_tensorflow(self.x), tf.constant(self.y)
        self.held = images  # a variable that nobody holds is gone

        def epoch(_):
            order, coefficients = tf.numpy_function(lambda: self.plan(), [], (tf.int64, tf.float32))
            order.set_shape([len(self.y)])
            coefficients.set_shape([len(self.y), 8 if self.setting else 0])
            return tf.data.Dataset.from_tensor_slices((order, coefficients)).batch(self.batch_size)

        def gather(index, coefficients):
            batch = tf.gather(images, index)
            if self.setting:
                batch = tf.ensure_shape(augmentation.warp(batch, coefficients), [None, *self.x.shape[1:]])
            return batch, tf.gather(labels, index)

        feed = tf.data.Dataset.range(1).flat_map(epoch).map(gather, num_parallel_calls=2, deterministic=True).prefetch(STEPS)
        return feed.apply(tf.data.experimental.assert_cardinality(self.steps))


def _in_tensorflow(array):
    # A variable filled piece by piece takes the array's size once more. `tf.constant` takes it twice on the way, a gigabyte for ByMerge.
    import tensorflow as tf

    rows = max(1, PIECE * len(array) // array.nbytes)
    with tf.device("CPU:0"):
        held = tf.Variable(tf.zeros(array.shape, array.dtype), trainable=False)
        for start in range(0, len(array), rows):
            piece = array[start:start + rows]
            held.scatter_update(tf.IndexedSlices(piece, tf.range(start, start + len(piece))))  # in place; `held[a:b].assign` copies all of it
    return held


class _Sequence(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches, self.planned = batches, None

    def __len__(self):
        return self.batches.steps

    def __getitem__(self, step):
        if self.planned != self.batches.epoch:
            self.planned, self.order, self.coefficients = self.batches.epoch, *self.batches.plan()
        part = slice(step * self.batches.batch_size, (step + 1) * self.batches.batch_size)
        images = self.batches.x[self.order[part]]
        if self.batches.setting:
            images = keras.ops.convert_to_numpy(augmentation.warp(images, self.coefficients[part]))
        return images, self.batches.y[self.order[part]]


class NextEpoch(keras.callbacks.Callback):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self.batches.epoch = epoch

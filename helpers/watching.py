"""Training as the early course reports did it: on all training images, with the test images watched after every epoch.

Only notebook 07 uses this, to measure what it does. Everywhere else the split is `batches.split`, whose test images wait.
"""

import hashlib
import io
import zipfile
import zlib

import numpy as np

from helpers import datasets
from helpers.batches import Split, in_order
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.files import load_json, save_bytes
from helpers.store.paths import UserError


def split(data, train_images=0, test_images=0):
    """All training images to learn from, and the test images as validation images and as test images.

    A size of 0 means all of them, a smaller number a part stratified by class (and hand), the same for every seed. Raises UserError if there are too few.
    """
    if train_images > len(data.y_train) or 0 < train_images < data.classes:
        raise UserError(
            f"{data.label} has {len(data.y_train):,} training images of {data.classes} classes: {train_images:,} cannot be taken from them."
        )
    train, test = np.arange(len(data.y_train)), np.arange(len(data.y_test))
    if train_images:
        train = datasets.split(data.y_train, train_images, seed=1, strata=data.hand_train)[1]
    if test_images and test_images < len(test):
        test = datasets.split(data.y_test, test_images, seed=2, strata=data.hand_test)[
            1
        ]  # the images of `batches.split`
    identity = hashlib.sha256(
        b"".join(
            [
                b"watched",
                data.meta["sha256"].encode(),
                train.astype("<i8").tobytes(),
                test.astype("<i8").tobytes(),
            ]
        )
    )
    x_test, y_test = data.x_test[test][..., None], data.y_test[test]
    return Split(
        data.x_train[train][..., None],
        data.y_train[train],
        x_test,
        y_test,
        x_test,
        y_test,
        identity.hexdigest(),
    )


def with_dropout(model, rate):
    """The network with every dropout at another rate and the same initial weights; -1.0 leaves it as it is. Raises UserError if it has no dropout."""
    if rate == -1.0:
        return model
    if not 0 <= rate < 1:
        raise UserError(
            f"A dropout rate of {rate} is none: give 0 or more and less than 1, or -1.0 for the network as it is."
        )
    config = model.get_config()
    layers = [layer["config"] for layer in config["layers"] if layer["class_name"] == "Dropout"]
    if not layers:
        raise UserError(
            f"The network {model.name} has no dropout whose rate could be {rate}: leave it at -1.0."
        )
    for layer in layers:
        layer["rate"] = rate
    changed = type(model).from_config(config)
    changed.set_weights(model.get_weights())
    return changed


class EpochAnswers(keras.callbacks.Callback):
    """Keeps what the network takes the watched images (`parts.x_validation`) for after every epoch.

    With `run` and `profile` the answers are kept beside the trained weights of the seed, for `training.fit` may load these instead of training. Where
    the weights are there without answers that agree with their history, they are forgotten, and `fit` trains again: make this object first.
    """

    def __init__(self, parts, seed, run=None, profile=None):
        super().__init__()
        self.feed, self.labels, self.seen = in_order(parts.x_validation), parts.y_validation, []
        self.path = (
            paths.trained(profile, run) / f"seed-{seed}.answers.npz" if run and profile else None
        )
        if self.path:
            record = self.path.with_name(f"seed-{seed}.json")
            kept = load_json(record)
            if kept and not self._agree(kept):
                record.unlink()

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras."""
        probabilities = self.model.predict(self.feed, verbose=0)
        self.seen.append(np.argmax(probabilities, axis=1).astype("uint8"))

    def on_train_end(self, logs=None):
        """Called by Keras; `training.fit` saves the weights only after this."""
        if self.path:
            buffer = io.BytesIO()
            np.savez_compressed(buffer, answers=np.array(self.seen))
            save_bytes(self.path, buffer.getvalue())

    def answers(self):
        """Predicted classes, uint8 (epochs, n), of the training that `fit` made or found."""
        return np.array(self.seen) if self.seen else self._load()

    def _load(self):
        with np.load(self.path, allow_pickle=False) as archive:
            return archive["answers"]

    def _agree(self, kept):
        try:
            accuracies = (self._load() == self.labels).mean(axis=1)
            return np.allclose(
                accuracies, kept["history"]["val_accuracy"], rtol=0, atol=1.5 / len(self.labels)
            )
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            EOFError,
            zipfile.BadZipFile,
            zlib.error,
        ):  # no file, or a damaged one: train again
            return False

"""Training as the early course reports did it: on all training images, with the test images
watched after every epoch. Notebook 07 alone, to measure what that does."""

import numpy as np

from helpers import batches, datasets
from helpers.store import files, paths
from helpers.store.backend import keras
from helpers.store.paths import UserError


def split(data, train_images=0, test_images=0):
    """All training images to learn from, and the test images as validation and as test images.

    A size of 0 means all of them, a smaller number a part stratified by class (and hand), the same
    for every seed and as in `batches.split`. UserError if there are too few; of a set of one's own
    all are taken then, and a line says so.
    """
    if train_images > len(data.y_train):
        few = f"{data.label} has {len(data.y_train):,} training images, fewer than {train_images:,}"
        if data.name in datasets.NAMES:
            raise UserError(f"{few}: ask for fewer.")
        print(f"{few}.")
    elif 0 < train_images < data.classes:
        fault = f"{data.label} has {data.classes} classes, and {train_images:,} training images"
        raise UserError(f"{fault} cannot show all of them: ask for more.")
    return batches.cut(data, np.arange(len(data.y_train)), None, train_images, test_images)


def with_dropout(model, rate):
    """The network with every dropout at another rate and the same initial weights; -1.0 leaves it
    as it is. UserError if it has no dropout."""
    if rate == -1.0:
        return model
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

    With `run` and `profile` the answers lie beside the trained weights of the seed, and in their
    manifest: `training.fit` finds both or none.
    """

    def __init__(self, parts, seed, run=None, profile=None):
        super().__init__()
        self.feed, self.seen = batches.in_order(parts.x_validation), []
        folder = paths.trained(profile, run) if run and profile else None
        self.keeps = folder and folder / f"seed-{seed}.answers.npz"

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras."""
        probabilities = self.model.predict(self.feed, verbose=0)
        self.seen.append(np.argmax(probabilities, axis=1).astype("uint8"))

    def on_train_end(self, logs=None):
        """Called by Keras; `training.fit` writes the manifest after this."""
        if self.keeps:
            files.save_all({self.keeps: files.npz(answers=np.array(self.seen))})

    def answers(self):
        """Predicted classes, uint8 (epochs, n), of the training that `fit` made or found."""
        if self.seen:
            return np.array(self.seen)
        with np.load(self.keeps, allow_pickle=False) as archive:
            return archive["answers"]

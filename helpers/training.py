"""Training: `fit`, with a cache of one trained network a seed, and the progress it tells.

Plain Keras 3, so that `KERAS_BACKEND=jax` or `torch` runs it too.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import time
from dataclasses import dataclass

import numpy as np

from helpers import augmentation
from helpers.batches import STEPS, Batches, NextEpoch, in_order
from helpers.inspection import network_json
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.files import SEAL, load_json, save_json, sealed, sha256, unharmed

# Raise by hand when a change outside the notebooks and models.py alters results: every record is then made again.
RESULTS = 1

OPTIMIZERS = ("rmsprop", "adam", "adadelta", "sgd", "momentum")  # what `optimizer` knows


@dataclass(frozen=True)
class Trained:
    """A trained network and how it came about. `history` holds a list of numbers per epoch for each metric."""

    model: keras.Model
    seed: int
    history: dict
    seconds: float
    images: int

    @property
    def epochs(self):
        """Epochs run; early stopping may have restored the weights of an earlier one."""
        return len(self.history["loss"])


def optimizer(name, learning_rate):
    """A fresh optimiser by its Keras name: "rmsprop", "adam", "adadelta", "sgd"; "momentum" is SGD with momentum 0.9. The rate may be a schedule."""
    if name == "momentum":
        return keras.optimizers.SGD(learning_rate, momentum=0.9)
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": learning_rate}})


def one_cycle(peak, steps, rise=0.3):
    """A learning rate for `steps` batches in all: from a 25th of `peak` up to it over the share `rise` of them, then down to 0 along half a cosine.

    One cycle after Smith (2018), in the form that PyTorch's OneCycleLR has by default, save that the rise is straight.
    """
    up = max(1, round(rise * steps))
    return keras.optimizers.schedules.CosineDecay(
        peak / 25, max(1, steps - up), warmup_target=peak, warmup_steps=up
    )


def compile_options():
    """What `compile` gets for speed alone: `steps_per_execution` where `tf.data` feeds it."""
    return {"steps_per_execution": STEPS} if keras.backend.backend() == "tensorflow" else {}


def fit(
    model, parts, *, seed, batch_size, epochs, callbacks=(), setting="none", run=None, profile=None
):
    """Train a compiled model on `parts.x_train`, or load it where the same training was done before.

    `setting` names the random transformations of `augmentation.SETTINGS`, fresh in every epoch. With `run` and `profile` the trained weights are
    kept below data/trained/, and found again only if network, optimiser, data, seed and every argument here are the same. Returns `Trained`.
    """
    key = _key(
        model,
        parts,
        seed=seed,
        batch_size=batch_size,
        epochs=epochs,
        callbacks=callbacks,
        setting=setting,
    )
    stem = paths.trained(profile, run) / f"seed-{seed}" if run and profile else None
    kept = _load(model, stem, key) if stem and os.environ.get("FORCE") != "1" else None
    if kept:
        return Trained(model, seed, kept["history"], kept["seconds"], len(parts.y_train))
    batches = Batches(
        parts.x_train, parts.y_train, batch_size, seed, augmentation.SETTINGS[setting]
    )
    started = time.perf_counter()
    history = model.fit(
        batches.feed(),
        epochs=epochs,
        verbose=0,
        shuffle=False,
        validation_data=in_order(parts.x_validation, parts.y_validation),
        callbacks=[NextEpoch(batches), *callbacks, Progress(seed, epochs)],
    )
    seconds = time.perf_counter() - started
    if not np.all(np.isfinite(history.history["loss"])):
        raise paths.UserError(
            f"The loss of {run or model.name}, seed {seed}, is no longer a number: lower the learning rate."
        )
    history = {name: [float(value) for value in values] for name, values in history.history.items()}
    if stem:
        _save(model, stem, {"key": key, "seed": seed, "history": history, "seconds": seconds})
    return Trained(model, seed, history, seconds, len(parts.y_train))


class Progress(keras.callbacks.Callback):
    """Tells where a training stands: one updating line in the notebook, and the file that $PROGRESS_FILE names, which the grid reads."""

    def __init__(self, seed, epochs, what="seed"):
        super().__init__()
        self.what, self.epochs, self.line, self.file = (
            f"{what} {seed}",
            epochs,
            None,
            os.environ.get("PROGRESS_FILE"),
        )

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras."""
        from IPython.display import display

        text = f"{self.what}, epoch {epoch + 1}/{self.epochs}: " + ", ".join(
            f"{name} {value:.4f}" for name, value in logs.items()
        )
        if self.line is None:
            self.line = display({"text/plain": text}, raw=True, display_id=True)
        elif hasattr(self.line, "update"):  # no notebook, no line to update
            self.line.update({"text/plain": text}, raw=True)
        if self.file:
            save_json(
                self.file,
                {
                    "text": f"{self.what}, epoch {epoch + 1}/{self.epochs}, validation accuracy {logs['val_accuracy']:.4f}"
                },
                durable=False,
            )


def _key(model, parts, *, callbacks, **arguments):
    plain = (bool, int, float, str, type(None))
    config = model.optimizer.get_config()
    config["name"] = re.sub(
        r"_\d+$", "", config["name"]
    )  # Keras counts the optimisers of a process: "adam", "adam_1", ...
    how = {
        "network": network_json(model),
        "optimizer": config,
        "loss": model.loss,
        "data": parts.identity,
        "callbacks": [
            [type(c).__name__, {k: v for k, v in sorted(vars(c).items()) if isinstance(v, plain)}]
            for c in callbacks
        ],
        "settings": augmentation.SETTINGS[arguments["setting"]],
        "backend": keras.backend.backend(),
        "results": RESULTS,
        **arguments,
    }
    return hashlib.sha256(json.dumps(how, sort_keys=True, default=str).encode()).hexdigest()


def _save(model, stem, record):
    partial, final = (
        stem.with_name(f"{stem.name}.{os.getpid()}.weights.h5"),
        stem.with_name(f"{stem.name}.weights.h5"),
    )
    try:
        stem.parent.mkdir(parents=True, exist_ok=True)
        values = [*model.variables, *getattr(getattr(model, "optimizer", None), "variables", ())]
        if shutil.disk_usage(stem.parent).free < 2**20 + 5 * sum(
            int(np.prod(value.shape)) for value in values
        ):
            raise OSError(
                errno.ENOSPC, os.strerror(errno.ENOSPC)
            )  # before HDF5 finds out, which then takes the process down
        model.save_weights(partial)
        os.replace(partial, final)
    except OSError as error:
        if partial.exists():
            partial.unlink()
        raise paths.UserError(
            f"Cannot keep the trained network in {stem.parent}: {error.strerror or ' '.join(str(error).split())}. Free some space, or give DATA_DIR=DIR."
        ) from error
    save_json(
        stem.with_name(f"{stem.name}.json"), sealed({**record, "weights_sha256": sha256(final)})
    )


def _load(model, stem, key):
    weights, record = (
        stem.with_name(f"{stem.name}.weights.h5"),
        load_json(stem.with_name(f"{stem.name}.json")),
    )
    if (
        not isinstance(record, dict)
        or SEAL not in record
        or not unharmed(record)
        or record.get("key") != key
        or not weights.exists()
        or sha256(weights) != record.get("weights_sha256")
    ):
        return None
    model.load_weights(weights)
    return record

"""Training: `fit`, with a cache of one trained network a seed. Every notebook with a network.

Plain Keras 3, so that `KERAS_BACKEND=jax` or `torch` runs it too.
"""

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass

import numpy as np

from helpers import augmentation
from helpers.batches import STEPS, Batches, NextEpoch, in_order
from helpers.inspection import network_json
from helpers.store import files, paths
from helpers.store.backend import keras

# Raise by hand when a change outside notebooks and models.py alters results: all are made again.
RESULTS = 1
FEW_STEPS = 256  # fewer batches than these are worked through one by one: speed only
OPTIMIZERS = ("rmsprop", "adam", "adadelta", "sgd", "momentum")  # what `optimizer` knows


@dataclass(frozen=True)
class Trained:
    """A trained network and how: `history` holds a list of numbers per epoch for each metric."""

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
    """A fresh one of `OPTIMIZERS`; "momentum" is SGD with momentum 0.9. The rate or a schedule."""
    if name == "momentum":
        return keras.optimizers.SGD(learning_rate, momentum=0.9)
    return keras.optimizers.get({"class_name": name, "config": {"learning_rate": learning_rate}})


def one_cycle(peak, steps):
    """A learning rate for `steps` batches in all: from a 25th of `peak` straight up to it over 0.3
    of them, then down to 0 along half a cosine (Smith 2018; PyTorch's OneCycleLR)."""
    up = max(1, round(0.3 * steps))
    down, up = max(1, steps - up), {"warmup_target": peak, "warmup_steps": up}
    return keras.optimizers.schedules.CosineDecay(peak / 25, down, **up)


def compile_options():
    """What `compile` gets for speed alone: `steps_per_execution` where `tf.data` feeds it."""
    return {"steps_per_execution": STEPS} if keras.backend.backend() == "tensorflow" else {}


def fit(
    model, parts, *, seed, batch_size, epochs, callbacks=(), setting="none", run=None, profile=None
):
    """Train a compiled model on `parts.x_train`, or load it where the same training is kept.

    `setting` names the random transformations of `augmentation.SETTINGS`, fresh in every epoch.
    With `run` and `profile` the weights are kept below data/trained/, with the file that a callback
    `keeps`, and found again only if network, optimiser, data, seed and every argument here are the
    same. Returns `Trained`; UserError where the loss is no number or the weights cannot be kept.
    """
    how = {"seed": seed, "batch_size": batch_size, "epochs": epochs, "setting": setting}
    key = _key(model, parts, callbacks, how)
    stem = paths.trained(profile, run) / f"seed-{seed}" if run and profile else None
    kept = _load(model, stem, key) if stem and os.environ.get("FORCE") != "1" else None
    if kept:
        print(f"seed {seed}: the network is found in data/trained, not trained again", flush=True)
    else:
        kept = {"key": key, "seed": seed, **_train(model, parts, callbacks, **how)}
        if not np.all(np.isfinite(kept["history"]["loss"])):
            who = f"{run or model.name}, seed {seed},"
            raise paths.UserError(
                f"The loss of {who} is no longer a number: lower the learning rate."
            )
        if stem:
            _save(model, stem, kept, [c.keeps for c in callbacks if getattr(c, "keeps", None)])
    return Trained(model, seed, kept["history"], kept["seconds"], len(parts.y_train))


def _train(model, parts, callbacks, *, seed, batch_size, epochs, setting):
    settings = augmentation.SETTINGS[setting]
    batches = Batches(parts.x_train, parts.y_train, batch_size, seed, settings)
    callbacks = [*callbacks, Progress(f"seed {seed}", epochs)]
    started = time.perf_counter()
    history = run_epochs(model, parts, batches, epochs, callbacks)
    return {"seconds": time.perf_counter() - started, "history": history.history}


def run_epochs(model, parts, batches, epochs, callbacks, first=0):
    """Keras's `fit` on `Batches`, validated after each epoch; `first` epochs were run before."""
    _prepare(model, parts.y_train[:1], batches.steps * (epochs - first))
    return model.fit(
        batches.feed(),
        epochs=epochs,
        initial_epoch=first,
        verbose=0,
        shuffle=False,
        validation_data=in_order(parts.x_validation, parts.y_validation),
        callbacks=[NextEpoch(batches), *callbacks],
    )


def _prepare(model, label, steps):
    # Keras traces a step twice if the first trace makes variables, so they are made here.
    model.optimizer.build(model.trainable_variables)
    model.compute_metrics(None, label, np.zeros((1, *model.output_shape[1:]), "float32"))
    # To trace a loop over batches takes as long as it spares in a few hundred of them.
    if steps < FEW_STEPS and model.train_function is model.test_function is None:
        model.steps_per_execution = 1


class Progress(keras.callbacks.Callback):
    """Tells each epoch of a training in the notebook, and to the grid, in $PROGRESS_FILE."""

    def __init__(self, what, epochs):
        super().__init__()
        self.what, self.epochs = what, epochs

    def on_epoch_end(self, epoch, logs=None):
        """Called by Keras."""
        where = f"{self.what}, epoch {epoch + 1}/{self.epochs}"
        figures = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        print(f"{where}: {figures}", flush=True)
        if os.environ.get("PROGRESS_FILE"):
            text = f"{where}, validation accuracy {logs['val_accuracy']:.4f}"
            files.save_json(os.environ["PROGRESS_FILE"], {"text": text})


def _key(model, parts, callbacks, how):
    """Hexadecimal SHA-256 over all that a training follows from."""
    plain = (bool, int, float, str, type(None))
    config = model.optimizer.get_config()
    config["name"] = re.sub(r"_\d+$", "", config["name"])  # Keras counts them: adam, adam_1, ...
    follows_from = {
        "network": network_json(model),
        "optimizer": config,
        "loss": model.loss if isinstance(model.loss, str) else keras.losses.serialize(model.loss),
        "data": parts.identity,
        "callbacks": [
            [type(c).__name__, {k: v for k, v in sorted(vars(c).items()) if isinstance(v, plain)}]
            for c in callbacks
        ],
        "backend": keras.backend.backend(),
        "results": RESULTS,
        **how,
        "setting": augmentation.SETTINGS[how["setting"]],
    }
    text = json.dumps(follows_from, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _save(model, stem, record, also=()):
    """Keep weights and record, and a manifest of both and of `also`: without it nothing counts."""
    weights, content = files.npz(*model.get_weights()), files.as_json(record)
    kept = {stem.with_suffix(".weights.npz"): weights, stem.with_suffix(".json"): content}
    files.save_all(kept, manifest=stem.with_suffix(".sha256"), also=also)


def _load(model, stem, key):
    """The record of a kept training, its weights put into the model; None if it is another one."""
    record = files.load_json(stem.with_suffix(".json"))
    if not record or files.harmed(stem.with_suffix(".sha256")) or record["key"] != key:
        return None
    with np.load(stem.with_suffix(".weights.npz"), allow_pickle=False) as weights:
        model.set_weights([weights[name] for name in weights])
    return record

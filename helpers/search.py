"""Hyper-parameter search with Keras Tuner, resumable: every finished trial lies on disk, with its learning curve."""

import hashlib
import inspect
import json
import shutil
import time
from pathlib import Path

from helpers import augmentation
from helpers.batches import Batches, NextEpoch, in_order
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.files import load_json, save_json, sealed, sha256, unharmed
from helpers.training import RESULTS, Progress, Trained, compile_options, one_cycle

import keras_tuner  # isort: skip  (after the quiet import of Keras)


class Space(keras_tuner.HyperModel):
    """A search space: `build(hp, image_shape, classes)` gives an optimiser and a network; training is as everywhere in this project.

    With `annealed` every training is one cycle of the learning rate, whose peak is the rate that `build` gave.
    """

    def __init__(self, build, parts, classes, batch_size, seed, annealed=False):
        super().__init__()
        self.function, self.parts, self.classes, self.batch_size, self.seed, self.annealed = (
            build,
            parts,
            classes,
            batch_size,
            seed,
            annealed,
        )

    def build(self, hp):
        """Called by Keras Tuner for each trial."""
        keras.utils.set_random_seed(self.seed)
        model, optimizer = self.function(hp, self.parts.x_train.shape[1:], self.classes)
        return self.compiled(model, optimizer)

    def compiled(self, model, optimizer):
        """The network with an optimiser, in the loss and metric of all trials."""
        model.compile(
            optimizer=optimizer,
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
            **compile_options(),
        )
        return model

    def fit(self, hp, model, epochs, initial_epoch=0, callbacks=(), **_):
        """Called by Keras Tuner for each trial; Hyperband goes on from `initial_epoch`."""
        parts = self.parts
        batches = Batches(
            parts.x_train, parts.y_train, self.batch_size, self.seed, augmentation.SETTINGS["none"]
        )
        if self.annealed:
            settings = model.optimizer.get_config()
            settings["learning_rate"] = one_cycle(
                float(model.optimizer.learning_rate), batches.steps * (epochs - initial_epoch)
            )
            self.compiled(model, type(model.optimizer).from_config(settings))
        return model.fit(
            batches.feed(),
            epochs=epochs,
            initial_epoch=initial_epoch,
            verbose=0,
            shuffle=False,
            validation_data=in_order(parts.x_validation, parts.y_validation),
            callbacks=[NextEpoch(batches), *callbacks],
        )


class _Curves:
    """Keeps each trial's learning curve and seconds beside Keras Tuner's own files."""

    def run_trial(self, trial, *args, **kwargs):
        started, progress = (
            time.perf_counter(),
            Progress(trial.trial_id, kwargs["epochs"], f"{self.project_name}, trial"),
        )
        histories = super().run_trial(trial, *args, callbacks=[progress], **kwargs)
        history = {
            name: [float(value) for value in values]
            for name, values in histories[0].history.items()
        }
        save_json(
            self.curve_path(trial),
            sealed(
                {
                    "history": history,
                    "seconds": time.perf_counter() - started,
                    "values": trial.hyperparameters.values,
                    "weights_sha256": sha256(self.weights_path(trial)),
                }
            ),
        )
        return histories

    def _configure_tensorboard_dir(self, *_):
        """Keras Tuner 1.4 imports TensorBoard here, which TensorFlow 2.21 no longer brings and nothing here writes to."""

    def weights_path(self, trial):
        """Where Keras Tuner keeps the weights of a trial's best epoch."""
        return self._get_checkpoint_fname(trial.trial_id)

    def curve_path(self, trial):
        """Where a trial's curve lies."""
        return Path(self.project_dir) / "curves" / f"{trial.trial_id}.json"


class RandomSearch(_Curves, keras_tuner.RandomSearch):
    """Keras Tuner's random search (Bergstra and Bengio 2012), every trial the full number of epochs."""


class Hyperband(_Curves, keras_tuner.Hyperband):
    """Keras Tuner's Hyperband (Li et al. 2018): many short trials, the best of which are continued."""


def run(kind, build, parts, classes, *, batch_size, trials, trial_epochs, seed, run, profile):
    """Search, or go on with a search that was interrupted: "random search" over `trials` trials of `trial_epochs`, or one sweep of "Hyperband" up to
    `trial_epochs`; in "annealed Hyperband" every training is one cycle of the learning rate. Returns the tuner; its finished trials are never
    trained again."""
    draws = (
        10** 6 * (seed + 1)
    )  # Keras Tuner counts up from its seed with every value that it draws, and takes 0 for none: neighbours would draw the same values
    key = json.dumps(
        [
            inspect.getsource(build),
            parts.identity,
            batch_size,
            trials,
            trial_epochs,
            seed,
            draws,
            RESULTS,
        ]
    )
    folder = paths.trained(profile, run) / hashlib.sha256(key.encode()).hexdigest()[:12]
    options = {
        "objective": "val_accuracy",
        "seed": draws,
        "directory": str(folder),
        "project_name": kind.replace(" ", "-"),
        "max_consecutive_failed_trials": 1,
    }  # Keras Tuner would go on in silence
    space = Space(build, parts, classes, batch_size, seed, kind.startswith("annealed"))

    def opened():
        return (
            RandomSearch(space, max_trials=trials, **options)
            if kind == "random search"
            else Hyperband(space, max_epochs=trial_epochs, factor=3, **options)
        )

    tuner = _whole(opened, folder / options["project_name"])
    tuner.search(epochs=trial_epochs, verbose=0)
    return tuner


def _whole(opened, folder):
    """The tuner with its finished trials; a search whose files are damaged is moved to NAME.damaged beside it and begun again."""
    try:
        tuner = opened()
        harmed = [
            name
            for name in tuner.oracle.end_order
            if not _unharmed(tuner, tuner.oracle.trials[name])
        ]
        fault = harmed and f"trial {harmed[0]} is not as it was left"
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RuntimeError,
    ) as error:  # what Keras Tuner raises on its own files, cut off
        fault = f"{type(error).__name__}: {error}"
    if fault:
        print(
            f"{folder} is damaged ({fault}); moved to {folder.name}.damaged, the search begins again"
        )
        shutil.rmtree(folder.with_name(f"{folder.name}.damaged"), ignore_errors=True)
        folder.rename(folder.with_name(f"{folder.name}.damaged"))
        tuner = opened()
    return tuner


def _unharmed(tuner, trial):
    """Whether a finished trial is what its sealed curve says: settings, score, weights of its best epoch."""
    told = load_json(tuner.curve_path(trial))
    if (
        not isinstance(told, dict)
        or not unharmed(told)
        or "history" not in told
        or trial.score is None
    ):
        return False
    weights = Path(tuner.weights_path(trial))
    return (
        told.get("values", trial.hyperparameters.values) == trial.hyperparameters.values
        and abs(max(told["history"]["val_accuracy"]) - trial.score) < 1e-6
        and weights.exists()
        and sha256(weights) == told.get("weights_sha256", sha256(weights))
    )


def trials_of(tuner, kind):
    """The finished trials in the order they ran, as the record keeps them: `values`, `score`, `curve` (validation accuracy by epoch), `epochs`, `seconds`."""
    found = []
    for name in tuner.oracle.end_order:
        trial = tuner.oracle.trials[name]
        told = load_json(tuner.curve_path(trial))
        values = {
            key: value
            for key, value in trial.hyperparameters.values.items()
            if not key.startswith("tuner/")
        }
        curve = told["history"]["val_accuracy"]
        found.append(
            {
                "search": kind,
                "trial": name,
                "values": values,
                "score": max(curve),
                "curve": curve,
                "epochs": len(curve),
                "seconds": told["seconds"],
                "start": trial.hyperparameters.values.get("tuner/initial_epoch", 0),
            }
        )
    return found


def best(tuner, seed, images):
    """The best trial's network with the weights of its best epoch, as `training.Trained`; its seconds are those of the trial."""
    trial = tuner.oracle.get_best_trials(1)[0]
    told = load_json(tuner.curve_path(trial))
    return Trained(tuner.get_best_models(1)[0], seed, told["history"], told["seconds"], images)

"""Hyper-parameter search with Keras Tuner, resumable trial by trial. Notebook 05, benchmarks."""

import hashlib
import inspect
import json
import shutil
import time
from pathlib import Path

import numpy as np

from helpers import training
from helpers.batches import Batches
from helpers.store import files, paths
from helpers.store.backend import keras
from helpers.training import RESULTS, Trained, one_cycle

import keras_tuner  # isort: skip  (after the quiet import of Keras)


# What reading files that were cut off raises, Keras Tuner's own among them.
DAMAGE = (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RuntimeError)


class Space(keras_tuner.HyperModel):
    """A search space: `build(hp, image_shape, classes)` gives a network and its optimiser; training
    is as everywhere in this project. With `annealed` every training is one cycle of the learning
    rate, whose peak is the rate that `build` gave."""

    def __init__(self, build, parts, classes, batch_size, seed, annealed=False):
        super().__init__()
        self.function, self.parts, self.classes = build, parts, classes
        self.batch_size, self.seed, self.annealed = batch_size, seed, annealed

    def build(self, hp):
        """Called by Keras Tuner for each trial."""
        keras.utils.set_random_seed(self.seed)
        return _compiled(*self.function(hp, self.parts.x_train.shape[1:], self.classes))

    def fit(self, hp, model, epochs, initial_epoch=0, callbacks=(), **_):
        """Called by Keras Tuner for each trial; Hyperband goes on from `initial_epoch`."""
        parts = self.parts
        batches = Batches(parts.x_train, parts.y_train, self.batch_size, self.seed, setting={})
        if self.annealed:
            settings, steps = model.optimizer.get_config(), batches.steps * (epochs - initial_epoch)
            settings["learning_rate"] = one_cycle(float(model.optimizer.learning_rate), steps)
            _compiled(model, type(model.optimizer).from_config(settings))
        return training.run_epochs(model, parts, batches, epochs, callbacks, initial_epoch)


def _compiled(model, optimizer):
    # A kept trial is loaded for its weights. A fresh optimiser has no place yet for the variables
    # kept beside them, of which Keras would warn, and then leave them out.
    optimizer.load_own_variables = lambda store: None
    loss = "sparse_categorical_crossentropy"
    model.compile(optimizer, loss, metrics=["accuracy"], **training.compile_options())
    return model


class _Curves:
    """Keeps each trial's learning curve and seconds beside Keras Tuner's own files, in a manifest
    with the weights of its best epoch."""

    def run_trial(self, trial, *args, **kwargs):
        started = time.perf_counter()
        name = f"{self.project_name}, trial {trial.trial_id}"
        progress = training.Progress(name, kwargs["epochs"])
        histories = super().run_trial(trial, *args, callbacks=[progress], **kwargs)
        seconds = time.perf_counter() - started
        kept = {"history": histories[0].history, "seconds": seconds}
        kept["values"] = trial.hyperparameters.values
        path, weights = self.curve_path(trial), self._get_checkpoint_fname(trial.trial_id)
        manifest = path.with_suffix(".sha256")
        files.save_all({path: files.as_json(kept)}, manifest=manifest, also=[weights])
        return histories

    def _configure_tensorboard_dir(self, *_):
        """Keras Tuner 1.4 imports TensorBoard here, which TensorFlow 2.21 no longer brings."""

    def curve_path(self, trial):
        """Where a trial's curve lies."""
        return Path(self.project_dir) / "curves" / f"{trial.trial_id}.json"

    def finished(self):
        """The finished trials in the order they ran, each with what is kept of it."""
        trials = [self.oracle.trials[name] for name in self.oracle.end_order]
        return [(trial, files.load_json(self.curve_path(trial))) for trial in trials]

    def harmed(self):
        """Names of finished trials whose settings, score, curve or weights were altered."""
        return [
            trial.trial_id
            for trial, kept in self.finished()
            if files.harmed(self.curve_path(trial).with_suffix(".sha256"))
            or kept["values"] != trial.hyperparameters.values
            or abs(max(kept["history"]["val_accuracy"]) - trial.score) > 1e-6
        ]


class RandomSearch(_Curves, keras_tuner.RandomSearch):
    """Keras Tuner's random search (Bergstra and Bengio 2012): every trial has all epochs."""


class Hyperband(_Curves, keras_tuner.Hyperband):
    """Keras Tuner's Hyperband (Li et al. 2018): many short trials, the best are continued."""


class Aging(keras_tuner.Oracle):
    """Aging evolution (Real et al. 2019) in any space: after `population` random trials each is a
    child of the best of five of the last ones, with one setting drawn anew."""

    def __init__(self, population, **options):
        super().__init__(**options)
        self.population = population

    def populate_space(self, trial_id):
        """Called by Keras Tuner before each trial; goes by what is kept of the trials alone."""
        values, alive = self._random_values(), self.end_order[-self.population :]
        if values and len(alive) == self.population:
            rng = np.random.default_rng([self.seed, len(self.trials)])
            drawn = [self.trials[name] for name in rng.choice(alive, 5)]
            parent = max(drawn, key=lambda trial: trial.score)
            before = parent.hyperparameters.values
            other = [n for n in values if n in before and values[n] != before[n]] or list(values)
            gene = rng.choice(other)
            values = {**before, gene: values[gene], "tuner/parent": parent.trial_id}
        return {"status": "RUNNING" if values else "STOPPED", "values": values}


class Evolution(_Curves, keras_tuner.Tuner):
    """A search by `Aging`."""


def run(kind, build, parts, classes, *, batch_size, trials, trial_epochs, seed, run, profile):
    """Search, or go on with an interrupted search, whose finished trials are not trained again:
    "random search" or "evolution" over `trials` trials of `trial_epochs`, a third of them at random
    at first, one sweep of "Hyperband" up to `trial_epochs`, or "annealed Hyperband", each training
    one cycle of the learning rate. Returns the tuner."""
    # Keras Tuner counts up from its seed with every value that it draws, and takes 0 for none:
    # neighbours would draw the same values.
    draws = 10**6 * (seed + 1)
    source = inspect.getsource(build)
    key = [source, parts.identity, batch_size, trials, trial_epochs, seed, draws, RESULTS]
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]
    space = Space(build, parts, classes, batch_size, seed, kind.startswith("annealed"))
    options = {
        "objective": "val_accuracy",
        "seed": draws,
        "max_consecutive_failed_trials": 1,  # Keras Tuner would go on in silence
    }
    place = {
        "directory": str(paths.trained(profile, run) / name),
        "project_name": kind.replace(" ", "-"),
    }

    def opened():
        if kind == "random search":
            return RandomSearch(space, max_trials=trials, **options, **place)
        if kind == "evolution":
            oracle = Aging(max(1, trials // 3), max_trials=trials, **options)
            return Evolution(oracle, space, **place)
        return Hyperband(space, max_epochs=trial_epochs, factor=3, **options, **place)

    tuner = _mended(opened, Path(place["directory"]) / place["project_name"])
    if done := len(tuner.finished()):
        print(f"{kind}, seed {seed}: {done} trials are found in data/trained, not trained again")
    tuner.search(epochs=trial_epochs, verbose=0)
    return tuner


def _mended(opened, folder):
    """The tuner with its finished trials; a search whose files are damaged is moved to NAME.damaged
    beside it and begun again."""
    try:
        tuner = opened()
        if not (harmed := tuner.harmed()):
            return tuner
        fault = f"trial {harmed[0]} is not as it was left"
    except DAMAGE as error:
        fault = f"{type(error).__name__}: {error}"
    aside = folder.with_name(f"{folder.name}.damaged")
    print(f"{folder} is damaged ({fault}); moved to {aside.name}, the search begins again")
    shutil.rmtree(aside, ignore_errors=True)
    folder.rename(aside)
    return opened()


def trials_of(tuner, kind):
    """The finished trials in the order they ran, as the record keeps them: `values`, `score`,
    `curve` (validation accuracy by epoch), `epochs`, `seconds`, `start`."""
    rows = []
    for trial, kept in tuner.finished():
        values, curve = trial.hyperparameters.values, kept["history"]["val_accuracy"]
        rows.append(
            {
                "search": kind,
                "trial": trial.trial_id,
                "values": {n: v for n, v in values.items() if not n.startswith("tuner/")},
                "score": max(curve),
                "curve": curve,
                "epochs": len(curve),
                "seconds": kept["seconds"],
                "start": values.get("tuner/initial_epoch", 0),
            }
        )
        if "tuner/parent" in values:
            rows[-1]["parent"] = values["tuner/parent"]
    return rows


def best(tuner, seed, images):
    """The best trial's network with the weights of its best epoch, as `training.Trained`; its
    seconds are those of the trial."""
    kept = files.load_json(tuner.curve_path(tuner.oracle.get_best_trials(1)[0]))
    model = tuner.get_best_models(1)[0]
    return Trained(model, seed, kept["history"], kept["seconds"], images)

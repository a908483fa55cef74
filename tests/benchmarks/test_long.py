"""The long benchmark: whole trainings of both sides in turn, in a place of their own."""

import contextlib
import inspect
from dataclasses import replace
from types import SimpleNamespace

import pytest

from benchmarks import long
from helpers import runs
from helpers.store import paths


def test_epochs_are_counted_to_the_first_that_is_as_good():
    curve = long._best_so_far([{"curve": [0.1, 0.5]}, {"curve": [0.4, 0.7]}])
    assert list(curve) == [0.1, 0.5, 0.5, 0.7]
    assert [long._epochs_to(accuracy, curve) for accuracy in (0.05, 0.5, 0.7, 0.71)] == [1, 2, 4, 0]


def test_space_of_the_benchmark_is_the_notebooks(tmp_path, monkeypatch):
    import keras_tuner

    monkeypatch.setattr(long, "FOLDER", tmp_path)
    build = long._space()
    model, optimizer = build(keras_tuner.HyperParameters(), (28, 28, 1), 49)
    assert (
        "def build(hp, image_shape, classes)" in inspect.getsource(build)
        and model.output_shape == (None, 49)
        and type(optimizer).__name__ == "Adam"
    )


def test_the_training_of_every_notebook_is_found_and_takes_the_next_seed(tiny, monkeypatch):
    from helpers import datasets, training

    def fit(model, parts, *, seed, epochs, profile, **how):
        assert (epochs, profile) == (1, "bench")
        return SimpleNamespace(seconds=10.0 + seed)

    monkeypatch.setenv("DATA", "stand-in")  # put back afterwards
    larger = {
        part: getattr(tiny, part).repeat(16, 1).repeat(16, 2) for part in ("x_train", "x_test")
    }
    monkeypatch.setattr(datasets, "load", lambda name: replace(tiny, **larger))
    monkeypatch.setattr(training, "fit", fit)
    parameters = runs.parameters
    few = {"train_images": 80, "validation_images": 40, "test_images": 40}
    monkeypatch.setattr(long.runs, "parameters", lambda run, _: parameters(run, "smoke") | few)
    names = [*long.rows.FAST, *long.rows.DROPOUT]
    names += [f"{name}-fast" for name in names]
    for run in {runs.entry(name)["notebook"]: name for name in names}.values():
        measured = long._training(run)
        assert [measured(), measured()] == [10.0, 11.0], run


def test_schedules_are_timed_in_turn_and_judged_by_the_seeds_that_both_have(monkeypatch):
    """The trainings and the records are exchanged for a few numbers."""
    asked = []

    class Side(contextlib.nullcontext):
        def __init__(self, prepare, run, threads):
            assert (prepare, threads) == (long._training, 1)
            super().__init__(self)
            self.run = run

        def ready(self):
            """There is nothing to wait for."""

        def measure(self):
            asked.append(self.run)
            return 10.0 if self.run.endswith("-fast") else 40.0

    def record(run):
        fast = run.endswith("-fast")
        right = 0.97 + 0.02 * (run == "k49-tuned-fast") if fast else 0.98
        seeds = [{"test_accuracy": right - 0.01}, {"test_accuracy": right + 0.01}]
        return {"seeds": seeds if fast else [*seeds, {"test_accuracy": 0.1}]}

    names = [*long.rows.FAST, *long.rows.DROPOUT]
    held = {name: record(name) for run in names for name in (run, f"{run}-fast")}
    monkeypatch.setattr(long, "Worker", Side)
    monkeypatch.setattr(long.results, "load_all", lambda profile: held)
    found = long.time_to_accuracy(lambda line: None)
    assert asked[:4] == ["mnist-mlp", "mnist-mlp-fast", "mnist-mlp-fast", "mnist-mlp"]
    assert len(asked) == 2 * 3 * 8
    assert found["time_to_accuracy"] == pytest.approx([4.0] * 3)
    assert found["time_to_accuracy.accuracy"] == [pytest.approx(-0.01)]
    del held["mnist-mlp-fast"]
    with pytest.raises(paths.UserError, match="A record of the full edition is missing"):
        long.time_to_accuracy(lambda line: None)

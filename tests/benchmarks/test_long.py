"""The long benchmark: whole trainings of both sides in turn, in a place of their own."""

import inspect
import json

import pytest

from benchmarks import long
from helpers import runs


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


def test_seeds_are_trained_one_by_one_in_turn_and_their_seconds_compared(tmp_path, monkeypatch):
    """The grid is exchanged for one that writes down what it is asked for."""
    asked = []

    def grid(words, folder, environment):
        name, seeds = words[-1], int(environment["SEEDS"])
        asked.append((name, seeds))
        slow = not name.endswith("-fast")
        record = {
            "seeds": [
                {
                    "seconds": 40.0 if slow else 10.0,
                    "test_accuracy": 0.98 if slow else 0.97 + 0.02 * (name == "k49-tuned-fast"),
                }
                for _ in range(seeds)
            ]
        }
        path = tmp_path / "report/full/results" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record))
        return 1.0, ""

    monkeypatch.setattr(long, "FOLDER", tmp_path)
    monkeypatch.setattr(long, "_environment", lambda **more: more)
    monkeypatch.setattr(long.measure, "command", grid)
    found = long.time_to_accuracy(lambda line: None)
    assert (
        asked[:4]
        == [("mnist-mlp-fast", 1), ("mnist-mlp", 1), ("mnist-mlp", 2), ("mnist-mlp-fast", 2)]
        and len(asked) == 50
    )
    assert found["time_to_accuracy"] == pytest.approx([4.0] * 5) and found[
        "time_to_accuracy.accuracy"
    ] == [pytest.approx(-0.01)]


def test_the_grid_of_the_benchmark_has_a_place_of_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr(long, "FOLDER", tmp_path / "bench")
    monkeypatch.setattr(
        long.datasets,
        "prepared",
        lambda name, mode: {"name": "kuzushiji_kanji49" if name == "kuzushiji49" else name},
    )
    monkeypatch.setattr(long.paths, "DATA", tmp_path)
    for name in ("mnist", "kuzushiji_kanji49"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("FORCE", "1")
    monkeypatch.setenv("DATA", "stand-in")
    environment = long._environment(SEEDS="2")
    assert (
        (tmp_path / "bench/data/mnist").is_symlink()
        and (tmp_path / "bench/data/kuzushiji_kanji49").is_symlink()
        and not (tmp_path / "bench/data/trained").exists()
    )
    assert (
        environment["SEEDS"] == "2"
        and environment["DATA"] == "real"
        and "FORCE" not in environment
        and environment["OUT"] == str(tmp_path / "bench")
    )
    assert all(
        runs.parameters(f"{one}-fast", "full")["seeds"] >= long.SEEDS for one in long.rows.FAST
    )

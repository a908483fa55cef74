"""Short schedules: compared with the faithful ones only on the same images, and worded by the outcome."""

import copy

import numpy as np
import pytest

from benchmarks import long
from helpers import results, runs
from report.prose import speed

N = 1000


def run(name, wrong, epochs, batch_size=128, seeds=2, **dataset):
    """(record, predictions) of a run of MNIST that gives `wrong` wrong answers of a thousand with every seed."""
    truth = np.arange(N) % 10
    answers = np.where(np.arange(N) < wrong, (truth + 1) % 10, truth)
    record = {
        "run": name,
        "parameters": {"profile": "full", "batch_size": batch_size},
        "seeds": [
            {"seed": seed, "test_accuracy": 1 - wrong / N, "epochs": epochs}
            for seed in range(seeds)
        ],
        "dataset": {
            "sha256": "x",
            "train": 54000,
            "test": N,
            "label": "MNIST",
            "kind": "official",
            **dataset,
        },
    }
    return record, {
        "y_true": truth.astype("uint8"),
        "y_pred": np.stack([answers] * seeds).astype("uint8"),
    }


SLOW = run("mnist-mlp", 20, 20)


@pytest.mark.parametrize(
    "wrong, said",
    [
        (20, "not told apart"),
        (60, "The short schedule is worse"),
        (1, "The short schedule is the better one"),
    ],
)
def test_reading_is_worded_by_the_outcome(wrong, said):
    told = speed.reading(run("mnist-mlp-fast", wrong, 6), SLOW)
    assert (
        said in told
        and "In 6 epochs of batches of 128 the network comes to" in told
        and "in 20 epochs of batches of 128, 98.00" in told
        and f"{(20 - wrong) / 10:+.2f} points" in told
    )


def test_nothing_is_compared_that_saw_other_images():
    for change in ({"sha256": "y"}, {"train": 8000}):
        assert speed.compare(run("mnist-mlp-fast", 20, 6, **change), SLOW) is None
    other = copy.deepcopy(SLOW)
    other[1]["y_true"][0] = 9
    assert speed.compare(run("mnist-mlp-fast", 20, 6), other) is None
    for beside in (None, other):
        assert "has no record on the same images" in speed.reading(
            run("mnist-mlp-fast", 20, 6), beside
        )


def test_table_and_summary_show_what_is_there(monkeypatch):
    held = {
        one[0]["run"]: one
        for one in (
            SLOW,
            run("mnist-mlp-fast", 19, 6),
            run("k49-tuned-fast", 30, 6, 256),
            run("fashion-dense-fast", 60, 5),
            run("fashion-dense", 20, 5),
            run("fingers-carlosnet-plain-fast", 90, 2, sha256="z"),
            run("fingers-carlosnet-plain", 0, 10),
        )
    }
    everything = {name: record for name, (record, _) in held.items()}
    fast = {name: record for name, record in everything.items() if name.endswith("-fast")}
    monkeypatch.setattr(results, "predictions", lambda profile, name: held[name][1])
    schedules = speed.compared(fast, everything, "full")
    rows = speed.table(schedules).rows
    assert [str(row[4]) for row in rows] == [
        "`mnist-mlp`",
        "`k49-tuned`",
        "`fashion-dense`",
        "`fingers-carlosnet-plain`",
    ] and rows[3][-1] == "-"
    assert (
        rows[0][-1].startswith("+0.10 [")
        and list(map(str, rows[1][5:])) == ["-", "-", "-"]
        and rows[2][-1].startswith("-4.00 [")
    )
    told = speed.summary(schedules)
    assert "show the networks 0.3 to 1 times as many images" in told
    assert (
        "Of 2 short schedules, 0 did better than the faithful one, 1 did worse, and 1 cannot be told from it."
        in told
    ), "what cannot be compared does not count"
    assert speed.summary([]) == "" and "None of these runs" in speed.table([]).note


def test_rate_of_a_schedule_is_drawn(folders):
    from helpers import training

    class Data:
        label, kind = "MNIST", "official"

    figure = speed.rate("mnist-mlp-fast", "smoke", Data, training.one_cycle(0.01, 50), 50)
    assert figure.path.exists() and "over the 50 steps" in figure.caption


# --- the long benchmark ---------------------------------------------------------------------------------------------------


def test_epochs_are_counted_to_the_first_that_is_as_good():
    curve = long._best_so_far([{"curve": [0.1, 0.5]}, {"curve": [0.4, 0.7]}])
    assert list(curve) == [0.1, 0.5, 0.5, 0.7]
    assert [long._epochs_to(accuracy, curve) for accuracy in (0.05, 0.5, 0.7, 0.71)] == [1, 2, 4, 0]


def test_space_of_the_benchmark_is_the_notebooks(tmp_path, monkeypatch):
    import inspect

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
    import json

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
    assert set(
        runs.parameters(run, "full")["seeds"] for run in [f"{one}-fast" for one in long.rows.FAST]
    ) == {long.SEEDS}

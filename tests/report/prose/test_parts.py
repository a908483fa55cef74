"""What the parts buy: pairs of runs, their differences over paired seeds, and what they cost."""

import numpy as np
import pytest

from helpers import runs
from report import claims
from report.prose import parts


def held(run, accuracy, train=0.99, epochs=10, macs=1000, parameters=100, **settings):
    """A record of two trainings that came out alike."""
    metrics = {"test_accuracy": accuracy, "train_accuracy": train, "epochs": epochs, "history": {}}
    return {
        "run": run,
        "seeds": [{"seed": number, **metrics} for number in range(2)],
        "layers": [{"macs": macs - 1}, {"macs": 1}],
        "parameter_count": parameters,
        "parameters": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, **settings},
        "dataset": {"train": 50, "test": 10, "sha256": "x", "label": "MNIST"},
        "versions": {"backend": "tensorflow"},
        "hardware": {"accelerator": None},
    }


RECORDS = {
    "mnist-cnn": held("mnist-cnn", 0.95),
    "mnist-cnn-augmented": held("mnist-cnn-augmented", 0.99, 0.985, epochs=40),
    "mnist-second-v1": held("mnist-second-v1", 0.97),
    "mnist-second-v2": held("mnist-second-v2", 0.96, optimizer="rmsprop", learning_rate=0.1),
}


@pytest.fixture
def steps(monkeypatch):
    """`parts.steps` on records without predictions: ten images, the first of them wrong."""
    right = np.tile(np.arange(10) > 0, (2, 1))
    monkeypatch.setattr(claims, "rightness", lambda profile, run: right)
    return lambda records: parts.steps(records, "full")


def test_a_step_is_measured_in_accuracy_gap_parameters_and_work(steps):
    step = next(step for step in steps(RECORDS) if step["part"] == "augmentation")
    assert (step["n"], step["difference"]) == (2, pytest.approx(0.04))
    assert step["gaps"] == (pytest.approx(0.04), pytest.approx(-0.005))
    assert step["parameters"] == 1 and step["work"] == 4
    assert parts.work(RECORDS["mnist-cnn"]) == 1000 * 50 * 10
    row = [str(cell) for cell in parts.step_table([step]).rows[0]]
    assert row[1] == "epochs 10 to 40"
    assert row[4:] == ["2", "4.00 to -0.50", "× 1", "× 4"]


def test_what_changed_in_training_is_told_beside_a_step(steps):
    step = next(step for step in steps(RECORDS) if step["part"] == "dropout")
    assert step["difference"] == pytest.approx(-0.01)
    changes = parts.training_changes
    assert changes(step["before"], step["after"]) == "optimiser adam to rmsprop; rate 0.001 to 0.1"
    assert changes(step["before"], step["before"]) == ""
    halved = held("mnist-third", 0.99, reduce_patience=3)
    assert changes(RECORDS["mnist-cnn"], halved) == "rate halved where the loss stalls"
    assert changes(halved, RECORDS["mnist-cnn"]) == "rate no longer halved"
    assert changes(halved, halved) == ""


def test_a_single_change_is_shown_beside_the_run_that_it_changes(folders):
    changed = {
        name: {
            **held(name, 0.99),
            "dataset": {"train": 54000, "label": "MNIST", "kind": "official"},
        }
        for name in ("mnist-cnn-20-epochs", "mnist-second-v1-normalised")
    }
    shown = parts.change_table(
        changed, {**changed, "mnist-second-v1": held("mnist-second-v1", 0.97)}, "full"
    )
    rows = [[str(cell) for cell in row] for row in shown.rows]
    assert [row[4:] for row in rows] == [
        ["`mnist-cnn-augmented`", "-", "-"],
        ["`mnist-second-v1`", "97.00 ± 0.00 %", "2"],
    ] and rows[1][2] == "99.00 ± 0.00 %"
    assert (
        "batch normalisation after each convolution" in rows[1][1]
        and "None of these runs" in parts.change_table({}, {}, "full").note
    )


def test_nothing_is_told_without_records_on_the_same_images(steps):
    assert steps({}) == [] and "No two runs" in parts.step_table([]).note
    other = held("mnist-cnn-augmented", 0.99)
    other["dataset"] = {**other["dataset"], "sha256": "y"}
    assert steps({"mnist-cnn": RECORDS["mnist-cnn"], "mnist-cnn-augmented": other}) == []


def test_every_step_lies_between_runs_on_the_same_data():
    for _, _, before, after in parts.STEPS:
        first, second = (runs.parameters(run, "full")["dataset"] for run in (before, after))
        assert first == second, (before, after)

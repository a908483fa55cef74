"""What the parts buy: pairs of runs, and their differences over paired seeds."""

import numpy as np
import pytest
import yaml

from helpers import runs
from helpers.store import paths
from report import claims


def held(run, accuracy, **settings):
    """A record of two trainings that came out alike."""
    metrics = {"test_accuracy": accuracy, "history": {}}
    return {
        "run": run,
        "seeds": [{"seed": number, **metrics} for number in range(2)],
        "parameters": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, **settings},
        "dataset": {"train": 50, "test": 10, "sha256": "x", "label": "MNIST"},
        "versions": {"backend": "tensorflow"},
        "hardware": {"accelerator": None},
    }


PAIRS = yaml.safe_load((paths.REPORT_SOURCE / "steps.yaml").read_text(encoding="utf-8"))
RECORDS = {
    "mnist-cnn": held("mnist-cnn", 0.95),
    "mnist-cnn-augmented": held("mnist-cnn-augmented", 0.99),
    "mnist-second-v1": held("mnist-second-v1", 0.97),
    "mnist-second-v2": held("mnist-second-v2", 0.96, optimizer="rmsprop", learning_rate=0.1),
}


@pytest.fixture
def steps(monkeypatch):
    """`claims.steps` on records without predictions: ten images, the first of them wrong."""
    right = np.tile(np.arange(10) > 0, (2, 1))
    monkeypatch.setattr(claims, "rightness", lambda profile, run: right)
    return lambda records: claims.steps(records, "full")


def test_a_step_is_measured_over_paired_seeds(steps):
    step = next(step for step in steps(RECORDS) if step["part"] == "augmentation")
    assert not step["alone"] and (step["n"], step["difference"]) == (2, pytest.approx(0.04))
    assert (step["before"], step["after"]) == (
        RECORDS["mnist-cnn"],
        RECORDS["mnist-cnn-augmented"],
    )


def test_nothing_is_told_without_records_on_the_same_images(steps):
    assert steps({}) == []
    other = held("mnist-cnn-augmented", 0.99)
    other["dataset"] = {**other["dataset"], "sha256": "y"}
    assert steps({"mnist-cnn": RECORDS["mnist-cnn"], "mnist-cnn-augmented": other}) == []


def test_every_step_lies_between_runs_on_the_same_data():
    for pair in PAIRS:
        first, second = (runs.parameters(pair[run], "full") for run in ("before", "after"))
        assert first["dataset"] == second["dataset"], pair


def test_a_step_alone_changes_one_thing_in_the_list_of_runs():
    """Parameters of both sides differ in one at most, sizes apart: a network, a rate of dropout."""
    for pair in PAIRS:
        one, other = (runs.parameters(pair[run], "full") for run in ("before", "after"))
        names = (one.keys() & other.keys()) - {"run", "seeds", "first_seed"}
        changed = {name for name in names if one[name] != other[name]}
        if pair.get("alone"):
            assert len(changed) == 1, (pair, changed)

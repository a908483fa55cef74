"""What is said of one run follows its record."""

import numpy as np

from report.prose import readings


def _record(run, accuracy, kind="official", profile="full", n=10000, deviations=(0.0,)):
    seeds = [
        {"seed": index, "test_accuracy": accuracy + off} for index, off in enumerate(deviations)
    ]
    return {
        "run": run,
        "seeds": seeds,
        "parameters": {"profile": profile},
        "dataset": {"kind": kind, "test": n, "sha256": "x", "label": "MNIST"},
    }


def test_the_transformation_that_costs_most_is_named_and_the_reports_figures_stand_beside_ours():
    record = _record("fingers-carlosnet-plain", 0.99, "partial")
    record["seeds"][0] |= {
        "transformed": {"test": 0.2},
        "single": {"flip_horizontal": 0.98, "shift": 0.3, "rotation": 0.5},
    }
    record["extra"] = {"chance": 0.17, "neighbour": {"plain": 1.0}}
    told = readings.generalisation_reading(record)
    assert (
        "shifts leave 30.0 %, the least, and flips from left to right 98.0 %, the most" in told
        and "19.72 % for training images and 19.17 % for test images" in told
    )
    record["dataset"]["kind"] = "stand-in"
    assert "The course report gives" not in readings.generalisation_reading(record)


def test_last_epochs_that_swing_are_shown_as_such():
    record = _record("fingers-carlosnet-augmented", 0.9, deviations=(0.0, 0.0))
    for seed, last in zip(record["seeds"], (0.9, 0.98)):
        seed["history"] = {"val_accuracy": [0.1, 0.98, 0.98, 0.98, 0.98, last]}
    told = readings.late_reading(record)
    assert "last 5 epochs" in told and "between 90.0 and 98.0 %" in told
    assert "94.0 % after the last epoch and 97.2 % over these" in told


def test_searches_are_compared_in_pairs():
    assert "says little" in readings._searches_compared(np.array([0.3]))
    told = readings._searches_compared(np.array([0.3, 0.5, -0.1]))
    assert told.startswith("a difference of +0.23 points [") and "ahead in 2 of 3 pairs" in told

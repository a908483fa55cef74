"""What the course reports' protocol does to their figures."""

import math

import pytest

from helpers import runs
from report import protocol


def record(
    run="mnist-second-v2-course",
    curves=((0.97, 0.975, 0.984, 0.986), (0.96, 0.97, 0.985, 0.987)),
    profile="full",
    kind="official",
    reported=None,
    learning=None,
    final=(0.995, 0.012),
    **selection,
):
    chosen = {
        "halves": 10,
        "epoch": 3,
        "lead": 0.002,
        "optimism": 0.001,
        "promised": 0.003,
        "kept": 0.002,
        "promised_low": 0,
        "promised_high": 0.01,
        "kept_low": -0.01,
        "kept_high": 0.01,
        **selection,
    }
    accuracies, losses = learning or ([0.95, 0.98, 0.989, 0.9915], [0.2, 0.08, 0.036, 0.029])
    return {
        "run": run,
        "parameters": {"profile": profile, "epochs": len(curves[0]), "dropout": -1.0},
        "versions": {"backend": "tensorflow"},
        "hardware": {"accelerator": None},
        "dataset": {"kind": kind, "label": "MNIST", "test": 10000, "train": 60000, "sha256": "x"},
        "reported": runs.entry(run)["reported"] if reported is None else reported,
        "seeds": [
            {
                "seed": number,
                "selection": dict(chosen),
                "train_accuracy": final[0],
                "train_loss": final[1],
                "test_accuracy": curve[-1],
                "history": {"val_accuracy": list(curve), "accuracy": accuracies, "loss": losses},
            }
            for number, curve in enumerate(curves)
        ],
    }


def reported(test=0.9855, accuracy=0.99024, loss=0.00325):
    return {"test_accuracy": test, "train_accuracy": accuracy, "train_loss": loss}


def test_standing_says_where_ours_lie_to_the_reported_accuracy():
    said = [protocol.standing(record(reported=reported(test))) for test in (0.9855, 0.9835, 0.9885)]
    assert said == ["within", "above", "below"]


@pytest.mark.parametrize(
    "change", [{"profile": "quick"}, {"kind": "stand-in"}, {"kind": "partial"}, {"reported": {}}]
)
def test_nothing_is_held_against_a_reported_figure_that_must_not_be(change):
    assert protocol.standing(record(**change)) is None


def test_only_pairs_below_the_least_loss_are_impossible():
    rows = protocol.impossible_table().rows
    assert [(row[0].markdown, row[1]) for row in rows] == [
        ("`mnist-second-v2`", "training"),
        ("`fingers-ivannet-augmented`", "validation"),
    ]
    assert rows[1][3:] == ("0.00170", "0.00402")
    assert protocol.least_loss(0.9) == pytest.approx(0.1 * math.log(2))
    assert protocol.least_loss(1.0) == 0


def test_tables_show_reported_figures_beside_real_images_only():
    shown = [
        protocol.protocol_table({"mnist-second-v2-course": record(kind=kind)}).rows[0][1]
        for kind in ("official", "stand-in")
    ]
    assert shown == ["98.55 %", "–"]
    assert protocol.protocol_table({})._markdown() == ""


def test_swing_is_that_of_the_second_half():
    found = protocol.swing(record(curves=([0.1, 0.2, 0.90, 0.92], [0.1, 0.2, 0.91, 0.95])))
    assert (found["low"], found["high"], found["mean"]) == (0.90, 0.95, pytest.approx(0.935))


def test_the_best_epoch_and_what_it_flatters_are_told():
    row = protocol.protocol_table({"mnist-second-v2-course": record()}).rows[0]
    assert row[6:] == ("98.85 %", "0.10")

"""What the course reports' protocol does to their figures."""

import pytest

from report import evidence


def record(
    run="mnist-second-v2-course",
    curves=((0.97, 0.975, 0.984, 0.986), (0.96, 0.97, 0.985, 0.987)),
    profile="full",
    kind="official",
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
        "dataset": {"kind": kind, "title": "MNIST", "label": "MNIST", "test": 10000},
        "parameter_count": 100,
        "seeds": [
            {
                "seed": number,
                "selection": dict(chosen),
                "train_accuracy": final[0],
                "train_loss": final[1],
                "test_accuracy": curve[-1],
                "seconds": 60,
                "history": {"val_accuracy": list(curve), "accuracy": accuracies, "loss": losses},
            }
            for number, curve in enumerate(curves)
        ],
    }


def test_the_verdict_is_that_of_the_one_rule_and_none_where_nothing_may_be_compared():
    told = [
        evidence.experiments({"mnist-second-v2-course": record(**change)})["Verdict"][0]
        for change in ({"profile": "quick"}, {"kind": "partial"}, {})
    ]
    assert told == ["short run", "part of the data", "too few trainings"]


def test_tables_show_reported_figures_beside_real_images_only():
    real, drawn = (
        evidence.experiments({"mnist-second-v2-course": record(kind=kind)})
        for kind in ("official", "stand-in")
    )
    assert real["Reported"][0] == "98.55 %" and real["Verdict"][0] == "too few trainings"
    assert not {"Reported", "Verdict"} & set(drawn) and drawn["Measured"][0]
    assert evidence.experiments({}).empty


def test_swing_is_that_of_the_second_half():
    found = evidence.swing(record(curves=([0.1, 0.2, 0.90, 0.92], [0.1, 0.2, 0.91, 0.95])))
    assert (found["low"], found["high"], found["mean"]) == (0.90, 0.95, pytest.approx(0.935))


def test_the_best_epoch_and_what_it_flatters_are_told():
    row = evidence.experiments({"mnist-second-v2-course": record()}).iloc[0]
    assert (row["Best epoch"], row["Flattery"]) == ("98.85 %", "0.10")

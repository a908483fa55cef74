"""What the course reports' protocol does to their figures, and words that follow it."""

import copy
import math

import numpy as np
import pytest

from helpers import runs
from report import claims
from report.prose import protocol, protocol_text


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


def test_standing_says_where_the_reported_accuracy_lies_and_the_sentence_follows():
    said = {}
    for test in (0.9855, 0.9835, 0.9885):
        one = record(reported=reported(test))
        said[protocol.standing(one)] = protocol_text.standing_reading(one)
    assert set(said) == {"within", "below", "above"}
    assert "one draw" in said["within"] and "98.55 %" in said["within"]
    assert "below every accuracy" in said["below"] and "98.40 %" in said["below"]
    assert "above every accuracy" in said["above"] and "98.70 %" in said["above"]


@pytest.mark.parametrize(
    "change", [{"profile": "quick"}, {"kind": "stand-in"}, {"kind": "partial"}, {"reported": {}}]
)
def test_nothing_is_held_against_a_reported_figure_that_must_not_be(change):
    one = record(**change)
    assert protocol.standing(one) is None and "no match" in protocol_text.standing_reading(one)
    assert "reported" not in protocol_text.selection_reading(one).lower()
    assert "The report gives" not in protocol_text.training_reading(one)


def test_swing_sentence_says_which_matters_more():
    epochs = record(curves=([0.9, 0.9, 0.95, 0.99], [0.9, 0.9, 0.95, 0.991]))
    seeds = record(curves=([0.9, 0.9, 0.95, 0.951], [0.9, 0.9, 0.99, 0.991]))
    assert "last matters more than the seed" in protocol_text.swing_reading(epochs)
    assert "The seed matters more" in protocol_text.swing_reading(seeds)
    assert "one seed cannot say" in protocol_text.swing_reading(
        record(curves=([0.9, 0.9, 0.95, 0.99],))
    )
    assert "so few epochs" in protocol_text.swing_reading(record(curves=([0.9],)))


@pytest.mark.parametrize(
    "selection, words",
    [
        ({"optimism": 0.0004}, "next to nothing"),
        ({"kept": 0.001}, "Most of what the choice promises is luck"),
        ({"kept": 0.0025}, "Most of the lead is real"),
        ({"kept": -0.001}, "All of what the choice promises is luck"),
        ({"promised": 0.0}, "would have changed nothing"),
    ],
)
def test_selection_sentence_follows_what_the_choice_keeps(selection, words):
    assert words in protocol_text.selection_reading(record(**selection))


@pytest.mark.parametrize(
    "accuracy, loss, kinds, words",
    [
        (
            0.9915,
            0.029,
            ("averaged", "averaged"),
            "both fit the average: they can come from the same",
        ),
        (0.995, 0.012, ("final", "final"), "both fit the final weights: they can come"),
        (0.9935, 0.029, ("either", "averaged"), "they can come from the same"),
        (0.995, 0.029, ("final", "averaged"), "do not point to the same"),
        (0.9915, 0.00325, ("averaged", "neither"), "do not point to the same"),
        (0.95, 0.5, ("neither", "neither"), "both fit neither."),
    ],
)
def test_which_training_figure_is_meant_and_the_sentence_follows(accuracy, loss, kinds, words):
    one = record(reported=reported(accuracy=accuracy, loss=loss))
    assert (protocol.kind(one, "accuracy"), protocol.kind(one, "loss")) == kinds
    assert words in protocol_text.training_reading(one)


def test_a_figure_between_the_two_is_told_and_none_is_none():
    wide = record(final=(0.9995, 0.002), reported=reported(accuracy=0.998, loss=0.008))
    assert (protocol.kind(wide, "accuracy"), protocol.kind(wide, "loss")) == ("between", "between")
    assert "both lie between the two." in protocol_text.training_reading(wide)
    assert protocol.kind(record(reported={}), "loss") is None


def test_every_impossible_pair_of_every_report_is_told_with_the_loss_that_goes_with_it():
    run = "mnist-second-v2-course"
    curve = ([0.95, 0.9901, 0.9904], [0.2, 0.0330, 0.0320])
    passing = record(run, learning=curve, curves=((0.9, 0.98, 0.98),))
    never = record(learning=([0.95, 0.96, 0.97], [0.2, 0.1, 0.09]), curves=((0.9, 0.98, 0.98),))
    assert protocol.loss_beside(passing) == pytest.approx(0.0325, rel=0.01)
    assert protocol.loss_beside(never) is None
    first, second = protocol_text.impossible_reading({run: passing}).split("\n\n")
    assert "`mnist-second-v2` a training accuracy of 99.02 %" in first and "0.0068" in first
    assert f"Where `{run}` passes through" in first and "0.0325" in first
    assert "`fingers-ivannet-augmented` a validation accuracy of 99.42 %" in second
    assert "0.00170" in second and "0.0040" in second
    for other in ({run: never}, {run: record(run, kind="stand-in")}, {}):
        assert "passes through" not in protocol_text.impossible_reading(other)


def test_a_pair_of_figures_is_impossible_below_the_least_loss_only():
    pair = {"validation_accuracy": 0.9942, "validation_loss": 0.0017}
    assert protocol.impossible(pair) == ["validation"]
    assert protocol.impossible({**pair, "validation_loss": 0.017}) == []
    assert protocol.impossible({"test_loss": 0.0}) == []


def test_runs_are_compared_on_the_same_images_after_the_same_epochs_only(monkeypatch):
    right = np.random.default_rng(0).random((2, 10000)) < 0.98
    monkeypatch.setattr(claims, "rightness", lambda profile, run: right)
    one, base = record(), record("mnist-second-v2")
    base["dataset"] = {**base["dataset"], "train": 54000}
    told = protocol_text.difference_reading(one, base, "full")
    assert "With 6,000 more training images its test accuracy differs" in told
    assert "`mnist-second-v2` by +0.00 [" in told and "2 seeds that both have" in told
    longer, others = copy.deepcopy(base), copy.deepcopy(base)
    longer["parameters"]["epochs"], others["dataset"]["sha256"] = 99, "y"
    assert "another number of epochs" in protocol_text.difference_reading(one, longer, "full")
    assert "saw other images" in protocol_text.difference_reading(one, others, "full")
    assert "no record in this edition" in protocol_text.difference_reading(one, None, "full")
    changed = record("mnist-second-v2-course-dropout-25")
    changed["parameters"]["dropout"] = 0.25
    told = protocol_text.difference_reading(changed, record(), "full")
    assert "With a dropout of 0.25" in told


def test_tables_show_reported_figures_beside_real_images_only():
    real, drawn = record(), record(kind="stand-in")
    assert "98.55 %" in protocol_text.protocol_table(
        {"mnist-second-v2-course": real}, "full"
    )._markdown().replace("\\", "")
    assert "98.55" not in protocol_text.protocol_table(
        {"mnist-second-v2-course": drawn}, "full"
    )._markdown().replace("\\", "")


def test_there_is_no_table_where_no_experiment_was_run():
    assert protocol_text.protocol_table({}, "full")._markdown() == ""


def test_swing_is_that_of_the_second_half():
    found = protocol.swing(record(curves=([0.1, 0.2, 0.90, 0.92], [0.1, 0.2, 0.91, 0.95])))
    assert (found["first"], found["last"], found["low"], found["high"]) == (3, 4, 0.90, 0.95)
    assert found["epochs"] == pytest.approx(
        np.mean([np.std([0.90, 0.92], ddof=1), np.std([0.91, 0.95], ddof=1)])
    )
    assert found["seeds"] == pytest.approx(np.std([0.92, 0.95], ddof=1))
    single = protocol.swing(record(curves=([0.9],)))
    assert (
        single["epochs"] is None
        and single["seeds"] is None
        and single["low"] == single["high"] == 0.9
    )


def test_least_loss_is_that_of_the_least_sure_mistakes():
    assert (
        protocol.least_loss(0.9) == pytest.approx(0.1 * math.log(2))
        and protocol.least_loss(1.0) == 0
    )

"""What the course reports' protocol does to their figures: choosing an epoch, the swing, which training figure; and words that change with the outcome."""

import copy
import math

import numpy as np
import pytest

from helpers import protocol as helpers_protocol
from helpers import runs
from helpers.show import watched
from helpers.show.canvas import BANNER, WIDTH
from report.prose import protocol, protocol_text

RNG = np.random.default_rng(0)


def flips(epochs, n, accuracy):
    """Epochs that are right on images drawn anew each time: no epoch is better than another."""
    return RNG.random((epochs, n)) < accuracy


# --- measures -------------------------------------------------------------------------------------------------------------


def test_among_equal_epochs_all_that_a_choice_promises_is_luck():
    found = [helpers_protocol.selection(flips(20, 1000, 0.9), halves=50) for _ in range(40)]
    promised, kept, optimism = (
        np.mean([one[name] for one in found]) for name in ("promised", "kept", "optimism")
    )
    assert promised > 0.015 and abs(kept) < 0.004, "no epoch is better than the last one"
    # The largest of 20 standard normal numbers is 1.867 on average.
    assert optimism == pytest.approx(1.867 * math.sqrt(0.9 * 0.1 / 500), rel=0.15)


def test_an_epoch_that_is_better_keeps_its_lead():
    right = np.zeros((3, 1000), bool)
    right[1, :900], right[2, :500] = True, True
    found = helpers_protocol.selection(right, halves=20)
    assert found["kept"] == pytest.approx(0.4, abs=1e-6) and found["promised"] == pytest.approx(
        0.4, abs=1e-6
    )
    assert found["optimism"] == pytest.approx(0, abs=1e-9) and (found["epoch"], found["lead"]) == (
        2,
        pytest.approx(0.4),
    )


def test_one_epoch_leaves_no_choice_and_of_equals_the_first_is_taken():
    one = helpers_protocol.selection(flips(1, 101, 0.5), halves=10)
    assert (one["promised"], one["kept"], one["lead"], one["epoch"]) == (0, 0, 0, 1) and one[
        "optimism"
    ] == pytest.approx(0, abs=0.03)
    assert helpers_protocol.selection(np.ones((4, 10), bool), halves=5)["epoch"] == 1


def test_the_choice_is_the_same_every_time():
    right = flips(5, 200, 0.8)
    assert (
        helpers_protocol.selection(right)
        == helpers_protocol.selection(right)
        != helpers_protocol.selection(right, seed=1)
    )


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


# --- records that are altered ---------------------------------------------------------------------------------------------


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


def test_whether_the_choice_of_an_epoch_accounts_for_the_gap():
    assert "would account for the gap" in protocol_text.selection_reading(
        record(reported=reported(0.9880), lead=0.002)
    )
    assert "would not account" in protocol_text.selection_reading(
        record(reported=reported(0.9890), lead=0.002)
    )
    assert "no sign of such a choice" in protocol_text.selection_reading(
        record(reported=reported(0.9800))
    )


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


def test_an_impossible_pair_is_told_with_the_loss_that_goes_with_its_accuracy():
    slip = record(
        learning=([0.95, 0.9901, 0.9904], [0.2, 0.0330, 0.0320]), curves=((0.9, 0.98, 0.98),)
    )
    other = record(
        learning=([0.95, 0.9901, 0.9904], [0.2, 0.0130, 0.0120]), curves=((0.9, 0.98, 0.98),)
    )
    never = record(learning=([0.95, 0.96, 0.97], [0.2, 0.1, 0.09]), curves=((0.9, 0.98, 0.98),))
    assert protocol.loss_beside(slip) == pytest.approx(0.0325, rel=0.01) and protocol.slipped(slip)
    assert (
        protocol.loss_beside(never) is None
        and not protocol.slipped(never)
        and not protocol.slipped(other)
    )
    said = [protocol_text.impossible_reading({"a": one}) for one in (slip, other, never)]
    assert all("cannot belong together" in one and "0.0068" in one for one in said)
    assert (
        "decimal point in the wrong place would explain" in said[0]
        and "no slip" in said[1]
        and "None of our trainings" in said[2]
    )
    assert (
        protocol_text.impossible_reading(
            {"a": record(reported=reported(loss=0.0325)), "b": record(kind="stand-in")}
        )
        == ""
    )


def test_runs_are_compared_on_the_same_images_after_the_same_epochs_only():
    truth = RNG.integers(0, 10, 2000).astype("uint8")
    good, bad = truth.copy(), truth.copy()
    good[:20], bad[:200] = (good[:20] + 1) % 10, (bad[:200] + 1) % 10
    one, base = record(), record("mnist-second-v2")
    base["dataset"] = {**base["dataset"], "train": 54000}
    better, worse = {"y_true": truth, "y_pred": good[None]}, {"y_true": truth, "y_pred": bad[None]}
    assert protocol.compare((one, better), (base, worse))["difference"] == pytest.approx(0.09)
    assert (
        "With 6,000 more training images the run is better than `mnist-second-v2`"
        in protocol_text.difference_reading((one, better), (base, worse))
    )
    assert "worse than" in protocol_text.difference_reading((one, worse), (base, better))
    assert "not told apart" in protocol_text.difference_reading((one, better), (base, better))
    longer = copy.deepcopy(base)
    longer["parameters"]["epochs"] = 99
    assert "not compared" in protocol_text.difference_reading((one, better), (longer, worse))
    assert protocol.compare((one, better), (base, {**worse, "y_true": np.roll(truth, 1)})) is None
    assert "no record in this edition" in protocol_text.difference_reading((one, better), None)
    changed = record("mnist-second-v2-course-dropout-25")
    changed["parameters"]["dropout"] = 0.25
    assert "With a dropout of 0.25" in protocol_text.difference_reading(
        (changed, better), (record(), worse)
    )


# --- tables and the figure ------------------------------------------------------------------------------------------------


def test_tables_show_reported_figures_beside_real_images_only():
    real, drawn = record(), record(kind="stand-in")
    assert "98.55 %" in protocol_text.table(
        {"mnist-second-v2-course": real}, "full"
    )._markdown().replace("\\", "")
    assert "0.00325" in protocol_text.training_table({"a": real})._markdown().replace("\\", "")
    assert "98.55" not in protocol_text.table(
        {"mnist-second-v2-course": drawn}, "full"
    )._markdown().replace("\\", "")
    assert "0.00325" not in protocol_text.training_table({"a": drawn})._markdown().replace("\\", "")


def test_table_stands_also_where_no_experiment_was_run():
    shown = protocol_text.table({}, "full")._markdown()
    assert "{#tbl-course-protocol" in shown and "None of these experiments" in shown, (
        "the text refers to it"
    )
    assert protocol_text.impossible_reading({}) == ""


@pytest.mark.parametrize(
    "change, texts",
    [
        ({}, {"reported"}),
        ({"profile": "quick"}, {"reported (not comparable)"}),
        ({"kind": "stand-in"}, set()),
        ({"curves": ((0.9,),)}, {"reported"}),
    ],
)
def test_figure_shows_the_reported_accuracy_unless_images_were_drawn(change, texts):
    fig = watched(record(**change))
    labels = {text for axes in fig.axes for text in axes.get_legend_handles_labels()[1]}
    assert {one for one in labels if one.startswith("reported")} == texts and {
        "on the half that chose",
        "on the other half",
    } <= labels
    shown = {text.get_text() for text in fig.texts}
    assert any(BANNER in one for one in shown) == (change.get("kind") == "stand-in")
    sizes = [
        text.get_fontsize()
        for text in fig.findobj(lambda artist: hasattr(artist, "get_fontsize"))
        if text.get_text().strip()
    ]
    assert min(sizes) >= 7.2 and fig.get_size_inches()[0] == WIDTH
    fig.canvas.draw()

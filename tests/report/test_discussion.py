"""The discussion: what each course report claimed and what of it holds, worded by records and claims; altered ones change it."""

import copy

import pytest

from helpers import runs
from report import overview
from report.prose import discussion


def seed(number=0, **values):
    return {
        "seed": number,
        "train_accuracy": 0.995,
        "validation_accuracy": 0.985,
        "test_accuracy": 0.985,
        **values,
    }


def record(run, kind="official", profile="full", **values):
    """A record of one seed whose test accuracy is the reported one, unless `values` say otherwise."""
    reported = runs.entry(run).get("reported", {})
    values = {
        "test_accuracy": reported.get("test_accuracy", 0.9),
        "history": {"accuracy": [0.8, 0.9], "loss": [0.5, 0.27], "val_accuracy": [0.98, 0.985]},
        **values,
    }
    return {
        "run": run,
        "reported": reported,
        "parameters": {"profile": profile},
        "seeds": [seed(**values)],
        "extra": {"chance": 0.17, "neighbour": {"plain": 1.0, "transformed": 0.3}},
        "dataset": {"kind": kind, "test": 10000, "train": 54000, "label": "MNIST"},
    }


def claim(run_a, run_b, verdict="holds", difference=0.01):
    return {
        "run_a": run_a,
        "run_b": run_b,
        "verdict": verdict,
        "difference": difference,
        "low": difference - 0.005,
        "high": difference + 0.005,
    }


def said(report, records, found=(), experiments=None):
    """Outcome of each statement by its words, in plain order."""
    return discussion.statements(
        report, {one["run"]: one for one in records}, list(found), experiments or {}
    )


def outcome(statements, words):
    found = [one for one, text in statements if words in text]
    assert len(found) == 1, (words, statements)
    return found[0]


def test_every_course_report_has_its_paragraph_also_where_nothing_was_measured():
    text = discussion.text("full", {}, [], {})
    assert [report for report in overview.REPORTS if f"**`{report}`**" in text] == list(
        overview.REPORTS
    )
    assert (
        all(f"`{run}`" in text for run in overview.courses(dict.fromkeys(runs.select())))
        and "runs of this edition are short" not in text
    )
    assert "runs of this edition are short" in discussion.text("quick", {}, [], {})


def test_the_order_of_two_runs_holds_fails_or_stays_open_by_the_claim():
    pair = [record("mnist-cnn"), record("mnist-mlp")]
    for verdict, difference, wanted in (
        ("holds", 0.01, "holds"),
        ("the opposite holds", -0.01, "fails"),
        ("not decided", 0.001, "open"),
    ):
        statements = said(
            "mnist-2019", pair, [claim("mnist-cnn", "mnist-mlp", verdict, difference)]
        )
        assert outcome(statements, "`mnist-cnn` does better than `mnist-mlp`") == wanted


def test_the_order_is_that_of_the_reported_accuracies():
    pair = [
        record("mnist-second-v2"),
        record("mnist-second-v1"),
    ]  # the report printed the first one lower
    statements = said(
        "mnist-2019",
        pair,
        [claim("mnist-second-v2", "mnist-second-v1", "the opposite holds", -0.01)],
    )
    assert (
        outcome(
            statements,
            "`mnist-second-v1` does better than `mnist-second-v2` (+1.00 points, +0.50 to +1.50, reported +0.34)",
        )
        == "holds"
    )
    statements = said("mnist-2019", pair, [claim("mnist-second-v2", "mnist-second-v1", "holds")])
    assert (
        outcome(statements, "that `mnist-second-v1` does better than `mnist-second-v2`") == "fails"
    )


def test_networks_that_a_report_calls_equal_are_equal_unless_a_difference_is_found():
    pair = [record("fashion-cnn-1x100"), record("fashion-cnn-2x50")]
    assert (
        outcome(
            said(
                "fashion-2021",
                pair,
                [claim("fashion-cnn-1x100", "fashion-cnn-2x50", "not decided", 0.002)],
            ),
            "one of up to 0.70 points may be hidden",
        )
        == "holds"
    )
    for verdict in ("holds", "the opposite holds"):
        assert (
            outcome(
                said(
                    "fashion-2021", pair, [claim("fashion-cnn-1x100", "fashion-cnn-2x50", verdict)]
                ),
                "does as well as",
            )
            == "fails"
        )
    undecided = said(
        "fashion-2021", pair, [claim("fashion-cnn-1x100", "fashion-cnn-2x50", "not decided", 0.006)]
    )
    assert (
        outcome(undecided, "whether `fashion-cnn-2x50` does as well as `fashion-cnn-1x100`")
        == "open"
    ), "an interval without zero is no sign of equality"


@pytest.mark.parametrize(
    "change, wanted, words",
    [
        ({}, "holds", "the test accuracy of `mnist-mlp`"),
        ({"test_accuracy": 0.99}, "fails", "98.20 %, lower than ours, 99.00 %"),
        ({"test_accuracy": 0.97}, "fails", "98.20 %, higher than ours, 97.00 %"),
        ({"kind": "partial"}, "open", "(part of the data)"),
        ({"kind": "substitute"}, "open", "(substitute data)"),
        ({"profile": "quick"}, "open", "(short run)"),
    ],
)
def test_a_reported_accuracy_is_judged_by_the_verdict_of_the_tables(change, wanted, words):
    assert outcome(said("mnist-2019", [record("mnist-mlp", **change)]), words) == wanted


@pytest.mark.parametrize(
    "curve, measured, words",
    [
        (
            [0.975, 0.98, 0.981, 0.985],
            0.985,
            "up to 0.40 points below that of the end, which can account for all of the difference",
        ),
        (
            [0.975, 0.98, 0.983, 0.985],
            0.985,
            "0.20 points below that of the end, which can account for most",
        ),
        ([0.97, 0.98, 0.985, 0.985], 0.985, "which can account for none"),
        (
            [0.9] * 19 + [0.983, 0.985],
            0.985,
            "stopped after 20 epochs and ours after 21: at that epoch ours were 0.20 points below their end",
        ),
        ([0.98, 0.986, 0.985, 0.985], 0.978, "which can account for none"),
        (
            [0.98, 0.986, 0.988, 0.985],
            0.978,
            "0.30 points above that of the end, which can account for most",
        ),
    ],
)
def test_the_end_of_training_is_offered_as_a_reason_only_as_far_as_it_reaches(
    curve, measured, words
):
    one = record(
        "mnist-mlp", test_accuracy=measured, epochs=len(curve), history={"val_accuracy": curve}
    )  # reported: 98.20 % after 20 epochs
    assert words in discussion._reason(one)


def test_a_run_of_our_own_beside_one_of_the_reports_is_judged_with_it():
    tested = [
        claim("fashion-cnn-1x100", "fashion-cnn-1x87", "not decided", 0.001),
        claim("mnist-cnn-augmented", "mnist-cnn-20-epochs", "not decided", 0.001),
    ]
    own = {run: record(run) for run in ("fashion-cnn-1x87", "mnist-cnn-20-epochs")}
    assert (
        outcome(
            said("fashion-2021", [record("fashion-cnn-1x100")], tested, own),
            "no difference is found between `fashion-cnn-1x100` and `fashion-cnn-1x87`",
        )
        == "holds"
    )
    assert (
        outcome(
            said("mnist-2019", [record("mnist-cnn-augmented")], tested, own),
            "whether `mnist-cnn-augmented` does better than `mnist-cnn-20-epochs`",
        )
        == "open"
    )
    assert not any(
        "mnist-cnn-20-epochs" in words
        for _, words in said("fashion-2021", [record("fashion-cnn-1x100")], tested, own)
    ), "it belongs to the other report"


def watched(run="mnist-first-course", accuracy=0.984, optimism=0.0001, profile="full"):
    one = record(run, profile=profile, test_accuracy=accuracy)
    one["seeds"][0] |= {
        "history": {
            "val_accuracy": [0.9, accuracy],
            "accuracy": [0.95, 0.9904],
            "loss": [0.2, 0.032],
        },
        "selection": {"lead": 0.001, "promised": 0.002, "kept": 0.001, "optimism": optimism},
    }
    return {run: one}


@pytest.mark.parametrize(
    "accuracy, wanted, words",
    [
        (0.9842, "holds", "one draw"),
        (0.99, "fails", "every later epoch exceeds"),
        (0.97, "fails", "no later epoch reaches"),
    ],
)
def test_training_as_the_report_did_says_whether_its_accuracy_is_reached(accuracy, wanted, words):
    assert outcome(said("mnist-2019", [], [], watched(accuracy=accuracy)), words) == wanted


def test_validation_on_test_images_is_judged_by_its_optimism_and_only_from_full_runs():
    assert (
        outcome(said("mnist-2019", [], [], watched(optimism=0.0001)), "validation on test images")
        == "holds"
    )
    assert (
        outcome(
            said("mnist-2019", [], [], watched(optimism=0.002)), "flatters by up to 0.20 points"
        )
        == "fails"
    )
    assert not [
        text
        for _, text in said("mnist-2019", [], [], watched(profile="quick"))
        if "validation on test" in text
    ]


def test_an_impossible_loss_is_named_and_explained_where_an_experiment_explains_it():
    statements = said("mnist-2019", [])
    assert outcome(
        statements, "the training loss of `mnist-second-v2`"
    ) == "fails" and "decimal" not in str(statements)
    assert "a decimal point in the wrong place" in str(
        said("mnist-2019", [], [], watched("mnist-second-v2-course-dropout-25", accuracy=0.985))
    )
    assert not [
        text
        for report in ("fashion-2021", "emnist-2021", "k49", "fingers")
        for _, text in said(report, [])
        if "too small" in text
    ]


def test_a_training_accuracy_taken_while_learning_is_recognised():
    run = "fashion-cnn-1x100"
    assert outcome(said("fashion-2021", [record(run)]), "as an average") == "holds"
    other = record(
        run, history={"accuracy": [0.99], "loss": [0.03]}, train_accuracy=0.995, train_loss=0.02
    )
    assert outcome(said("fashion-2021", [other]), "not the average") == "fails"


def test_overfitting_shows_in_a_gap_between_parts_of_the_data():
    fits = record("k49-tuned", train_accuracy=0.93, validation_accuracy=0.925, test_accuracy=0.92)
    assert outcome(said("k49", [fits]), "`k49-tuned` does not overfit: 93.00 %") == "holds"
    for gap in ({"train_accuracy": 0.99}, {"test_accuracy": 0.88}):
        altered = copy.deepcopy(fits)
        altered["seeds"][0] |= gap
        assert outcome(said("k49", [altered]), "that `k49-tuned` does not overfit") == "fails"
    assert (
        outcome(
            said("k49", [fits]),
            "the report's own figures fall from 93.46 % on validation to 88.03 %",
        )
        == "fails"
    )


def hands(network="carlosnet", withit=0.95, without=0.2):
    return [
        record(f"fingers-{network}-{how}", transformed={"test": value})
        for how, value in (("augmented", withit), ("plain", without))
    ]


@pytest.mark.parametrize(
    "withit, without, wanted", [(0.95, 0.2, "holds"), (0.25, 0.2, "open"), (0.2, 0.25, "fails")]
)
def test_augmentation_has_to_bring_something_on_transformed_images(withit, without, wanted):
    assert outcome(said("fingers", hands(withit=withit, without=without)), "by guessing") == wanted


def test_plain_accuracy_means_something_only_above_the_nearest_neighbour():
    pair = hands()
    assert outcome(said("fingers", pair), "the nearest training image names") == "fails"
    for one in pair:
        one["extra"]["neighbour"]["plain"] = 0.9
    assert outcome(said("fingers", pair), "beats the nearest training image") == "holds"


def test_stand_ins_say_nothing_about_a_report():
    text = discussion.paragraph(
        "mnist-2019", {"mnist-mlp": record("mnist-mlp", kind="stand-in")}, [], {}
    )
    assert "say nothing about that" in text and "98.20" not in text and "holds" not in text


def test_paragraph_lists_outcomes_in_order_and_what_is_missing():
    text = discussion.paragraph(
        "mnist-2019",
        {run: record(run) for run in ("mnist-mlp", "mnist-cnn")},
        [claim("mnist-cnn", "mnist-mlp", "not decided", 0.001)],
        {},
    )
    assert (
        text.index("*What holds:*")
        < text.index("*What does not:*")
        < text.index("*What stays open:*")
        < text.index("*Not measured in this edition:* `mnist-cnn-augmented`")
    )
    assert "-course" not in text, "experiments are not among the report's runs"

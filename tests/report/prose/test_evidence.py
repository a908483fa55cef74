"""The evidence chapter: what published differences can show, and words that follow the numbers."""

import numpy as np

from helpers import results, runs, statistics
from report import courses
from report.prose import evidence

RECORD = {
    "run": "mnist-mlp",
    "parameters": {"profile": "full"},
    "dataset": {
        "title": "MNIST",
        "label": "MNIST",
        "name": "mnist",
        "kind": "official",
        "test": 100,
        "classes": 3,
        "class_names": ["a", "b", "c"],
    },
    "seeds": [
        {
            "test_accuracy": 0.9,
            "nll": 0.3,
            "ece": 0.05,
            "temperature": 1.5,
            "nll_scaled": 0.2,
            "ece_scaled": 0.01,
        }
    ],
}


def entry(result, accuracy, **more):
    return {"data": "MNIST", "test": 10000, "result": result, "accuracy": accuracy, **more}


def test_gaps_rank_within_a_data_set_and_word_what_its_size_can_show():
    found = evidence.gaps(
        [
            entry("low", 0.90),
            entry("top", 0.9955),
            entry("near", 0.9951),
            entry("mid", 0.993),
            {**entry("other", 0.5), "data": "Fingers"},
        ]
    )
    assert [
        (gap["better"]["result"], gap["worse"]["result"], gap["images"], gap["verdict"])
        for gap in found
    ] == [
        ("top", "near", 4, "too small to show"),
        ("near", "mid", 21, "needs the answers"),
        ("mid", "low", 930, "large enough"),
    ]


def test_gaps_are_corrected_for_their_number():
    alone = [entry("a", 0.9700), entry("b", 0.9645)]
    many = alone + [
        {**entry(str(number), 0.9 - 0.0001 * number), "data": "Other"} for number in range(12)
    ]
    assert (
        evidence.gaps(alone)[0]["verdict"] == "large enough"
        and evidence.gaps(many)[0]["verdict"] == "needs the answers"
    )


def test_words_on_gaps_change_with_the_accuracies():
    near, far = (
        [entry("a", 0.99), entry("b", 0.9898)],
        [entry("a", 0.99, selected=True, deviation=0.0002, by="there"), entry("b", 0.9)],
    )
    assert "alone show 0; 1 could not" in evidence.gaps_reading(
        near, "x"
    ) and "alone show 1; 0 could not" in evidence.gaps_reading(far, "x")
    table = evidence.gap_table(far, "Steps.", "tbl-x")
    assert table.rows[0][1:3] == ("a 99.00 ± 0.02 * over b 90.00", "900")
    assert (
        "flatters" in table.note
        and "mean over trainings" in table.note
        and "a: there" in table.note.replace("\\", "")
    )
    plain = evidence.gap_table(near, "Steps.", "tbl-x").note
    assert "flatters" not in plain and "mean over trainings" not in plain and "Sources" not in plain


def test_the_course_reports_accuracies_come_from_the_list_of_runs():
    found = {one["result"]: one["accuracy"] for one in evidence.course_entries()}
    assert (
        found["mnist-mlp"] == runs.entry("mnist-mlp")["reported"]["test_accuracy"]
        and "fashion-dense" not in found
        and "k49-tuned" not in found
    )
    assert all(runs.entry(run)["report"] in courses.REPORTS for run in found)
    assert {gap["better"]["data"] for gap in evidence.gaps(evidence.course_entries())} == {
        "MNIST",
        "EMNIST Letters",
        "EMNIST Balanced",
        "Fingers",
    }


def test_published_results_are_whole():
    for one in evidence.published_entries():
        assert (
            set(one) - {"selected", "deviation"} == {"data", "test", "result", "accuracy", "by"}
            and 0.5 < one["accuracy"] < 1
            and one["test"] >= 10000
        )


def test_table_of_evidence_names_interval_balance_and_worst_class(monkeypatch):
    truth = np.repeat([0, 1, 2], [50, 40, 10]).astype("uint8")
    answers = truth.copy()
    answers[90:98] = 0
    monkeypatch.setattr(
        results, "predictions", lambda profile, run: {"y_true": truth, "y_pred": answers[None]}
    )
    row = evidence.accuracies({"mnist-mlp": RECORD}, "full").rows[0]
    low, high = statistics.wilson(92, 100)
    assert (
        row[3] == f"{100 * low:.2f} to {100 * high:.2f}"
        and row[4] == f"{100 * (1 + 1 + 0.2) / 3:.2f}"
        and row[6] == "c: 20.0 %"
    )


def test_words_on_calibration_follow_the_records_and_their_spread():
    def several(*temperatures, **after):
        return {
            **RECORD,
            "seeds": [{**RECORD["seeds"][0], "temperature": t, **after} for t in temperatures],
        }

    sure, unsure = several(1.5, 1.6, 1.4), several(0.8, 0.7, 0.75, ece_scaled=0.06, nll_scaled=0.4)
    open_still = several(0.5, 1.6, 1.2)
    said = evidence.calibration_reading({"a": sure, "b": unsure, "c": open_still, "d": RECORD})
    assert "Of 3 runs with three trainings or more, 1 gave networks that are too sure" in said
    assert "1 gave too cautious ones, and 1 cannot be told from either" in said
    assert "calibration error in 3 of 4 runs and the mean negative log-likelihood in 3" in said
    assert evidence.calibration_reading({}) == ""


def test_the_lesson_of_mcnemars_test_counts_pairs_of_networks(monkeypatch):
    truth, run_a, run_b = np.zeros(1000, "uint8"), "fashion-cnn-1x100", "fashion-cnn-2x50"

    def answers(*wrong):
        return np.stack([np.arange(1000) < number for number in wrong]).astype("uint8")

    found = {run_a: answers(10, 90), run_b: answers(50, 50)}
    monkeypatch.setattr(
        results, "predictions", lambda profile, run: {"y_true": truth, "y_pred": found[run]}
    )
    said = evidence.mcnemar_lesson("full", {run_a: RECORD, run_b: RECORD})
    assert "Of the 4 pairs" in said
    assert "2 in which the first is better at 5 %, and 2 in which the second is" in said
    assert evidence.mcnemar_lesson("full", {run_a: RECORD}) == ""

"""The evidence behind an accuracy: intervals, twins, and what published differences can show."""

import numpy as np

from helpers import results, runs, statistics
from report import courses, evidence

RECORD = {
    "run": "mnist-mlp",
    "parameters": {"profile": "full"},
    "dataset": {
        "title": "MNIST",
        "label": "MNIST",
        "name": "mnist",
        "sha256": "x",
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
        and row[4] == f"{100 * (1 + 1 + 0.2) / 3:.2f} %"
        and row[6] == "c: 20.0 %"
    )


def test_a_step_of_a_ranking_is_told_with_its_spread_and_its_source():
    far = [entry("a", 0.99, selected=True, deviation=0.0002, by="there"), entry("b", 0.9)]
    table = evidence.gap_table(far, "Steps.", "tbl-x")
    assert table.rows[0][1:3] == ("a 99.00 ± 0.02 * over b 90.00", "900")
    assert "a: there" in table.note.replace("\\", "")
    assert "Sources" not in evidence.gap_table(far[1:], "Steps.", "tbl-x").note


def test_runs_are_judged_without_twins_only_on_the_audits_own_test_images(tmp_path, monkeypatch):
    truth = np.arange(100, dtype="uint8") % 2
    twin = np.arange(100) < 50
    answers = np.where(twin, truth, 1 - truth)  # right on twins only: a memory
    kept = {
        "audit-mnist": {"y_true": truth, "y_pred": truth[None], "twin": twin},
        "mnist-mlp": {"y_true": truth, "y_pred": answers[None]},
        "mnist-cnn": {"y_true": truth[::-1], "y_pred": answers[None]},
    }
    monkeypatch.setattr(results, "predictions", lambda profile, run: kept[run])
    records = {run: {**RECORD, "run": run} for run in ("mnist-mlp", "mnist-cnn")}
    records["mnist-first"] = {
        **RECORD,
        "run": "mnist-first",
        "dataset": {**RECORD["dataset"], "sha256": "other"},
    }
    audits = {"audit-mnist": {**RECORD, "run": "audit-mnist"}}
    table = evidence.twin_table(records, audits, "full")
    low, high = statistics.wilson(0, 50)
    assert [str(row[0]) for row in table.rows] == ["`mnist-mlp`"]
    left = ("50.0 %", "50.00 %", "50", "0.00 %", f"{100 * low:.2f} to {100 * high:.2f}")
    assert table.rows[0][1:] == left
    kept["audit-mnist"]["twin"] = np.ones(100, bool)
    assert evidence.twin_table(records, audits, "full").rows == []

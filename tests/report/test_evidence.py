"""The evidence behind an accuracy: intervals, twins, and figures that cannot be."""

import math

import numpy as np
import pytest

from helpers import results, statistics
from report import evidence

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


def rows(frame):
    return [[str(cell) for cell in row] for row in frame.values]


def test_published_results_have_wilsons_interval_and_say_which_epoch_is_told():
    shown = {(row[0], row[1]): row[2:] for row in rows(evidence.published())}
    assert shown["MNIST", "ensemble"][::2] == ["99.91", "best by test"]
    assert shown["MNIST", "shake-shake"][2] == "last"
    assert shown["MNIST", "15-CNN ensemble"][0] == "99.74 ± 0.02"
    letters = shown["EMNIST Letters", "WaveMixLite"]
    low, high = statistics.wilson(0.9596 * 20800, 20800)
    between = f"{100 * low:.2f} to {100 * high:.2f}"
    assert letters == ["95.96", between, "unknown", "arXiv 2205.14375"]


def test_only_pairs_below_the_least_loss_are_impossible():
    shown = rows(evidence.impossible())
    assert [row[:2] for row in shown] == [
        ["`mnist-second-v2`", "training"],
        ["`fingers-ivannet-augmented`", "validation"],
    ]
    assert shown[1][3:] == ["0.00170", "0.00402"]
    assert evidence.least_loss(0.9) == pytest.approx(0.1 * math.log(2))
    assert evidence.least_loss(1.0) == 0


def test_table_of_evidence_names_interval_balance_and_worst_class(monkeypatch):
    truth = np.repeat([0, 1, 2], [50, 40, 10]).astype("uint8")
    answers = truth.copy()
    answers[90:98] = 0
    monkeypatch.setattr(
        results, "predictions", lambda profile, run: {"y_true": truth, "y_pred": answers[None]}
    )
    [row] = rows(evidence.accuracies({"mnist-mlp": RECORD}, "full"))
    low, high = statistics.wilson(92, 100)
    assert (
        row[3] == f"{100 * low:.2f} to {100 * high:.2f}"
        and row[4] == f"{100 * (1 + 1 + 0.2) / 3:.2f} %"
        and row[6] == "c: 20.0 %"
    )


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
    [row] = rows(evidence.without_twins(records, audits, "full"))
    low, high = statistics.wilson(0, 50)
    left = ["50.0 %", "50.00 %", "50", "0.00 %", f"{100 * low:.2f} to {100 * high:.2f}"]
    assert row == ["`mnist-mlp`", *left]
    kept["audit-mnist"]["twin"] = np.ones(100, bool)
    assert evidence.without_twins(records, audits, "full").empty

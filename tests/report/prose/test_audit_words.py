"""What is said of the data audits follows the record."""

import copy

import numpy as np
import pytest

from helpers import results, statistics
from report.prose import audit_tables

RECORD = {
    "run": "audit-mnist",
    "parameters": {"twin_distance": 0.03, "sure": 0.9, "side": 14},
    "seeds": [{"seed": 0, "test_accuracy": 0.9, "balanced_accuracy": 0.88}],
    "dataset": {
        "title": "MNIST",
        "label": "MNIST",
        "kind": "official",
        "sha256": "x",
        "test": 1000,
        "class_names": ["a", "b"],
        "classes": 2,
    },
    "extra": {
        "duplicates": {"train": 0, "test": 0, "across": 0, "conflicting": 0},
        "balance": {"train": [500, 500], "test": [5, 5]},
        "twins": [0, 1],
        "twins_named": 1.0,
        "few_shot": {"10": [0.5, 0.6], "50": [0.7, 0.7]},
        "judged": 2000,
        "judged_test": 1000,
        "cross_validated": [0.95, 0.96],
        "doubted_count": 10,
        "doubted_test": 4,
        "doubted": [],
    },
}


def changed(**extra):
    record = copy.deepcopy(RECORD)
    record["extra"].update(extra)
    return record


def test_words_on_balance_follow_the_test_images():
    assert "equally large" in audit_tables.balance_reading(RECORD)
    assert "nearly equal" in audit_tables.balance_reading(
        changed(balance={"train": [5, 5], "test": [1135, 892]})
    )
    said = audit_tables.balance_reading(changed(balance={"train": [5, 5], "test": [900, 90]}))
    assert (
        "commonest class, a, has 900" in said
        and "rarest, b, has 90" in said
        and "accuracy on common classes" in said
    )


def test_words_on_copies_follow_the_counts():
    assert "No image occurs twice" in audit_tables.copies_reading(RECORD)
    said = audit_tables.copies_reading(
        changed(duplicates={"train": 43, "test": 1, "across": 10, "conflicting": 2})
    )
    assert (
        "10 of the 1,000 test images (1.00 %)" in said
        and "under more than one label: 2." in said
        and "training images: 43; within the test images: 1;" in said
    )
    assert "no test image also stands" in audit_tables.copies_reading(
        changed(duplicates={"train": 43, "test": 1, "across": 0, "conflicting": 0})
    )


@pytest.mark.parametrize(
    "twins, named, accuracy, passed",
    [
        ([490, 500], 1.0, 0.99, True),
        ([490, 500], 0.6, 0.99, False),
        ([490, 500], 1.0, 0.7, False),
        ([1, 99], 1.0, 0.99, False),
    ],
)
def test_memory_passes_a_test_only_where_most_images_have_a_twin_of_their_class(
    twins, named, accuracy, passed
):
    record = changed(twins=twins, twins_named=named)
    record["seeds"][0]["test_accuracy"] = accuracy
    assert (
        ("passed by memory alone" in audit_tables.neighbours_reading(record))
        == passed
        == bool(audit_tables.memory(record))
    )


def test_words_on_twins_name_the_class_that_most_of_them_are_of():
    assert "10.0 % of the test images have a twin" in audit_tables.neighbours_reading(
        changed(twins=[10, 90])
    ) and "90 % of them are of the class b" in audit_tables.neighbours_reading(
        changed(twins=[10, 90])
    )
    none = audit_tables.neighbours_reading(changed(twins=[0, 0], twins_named=None))
    assert "0.0 % of the test images have a twin" in none and "of the class" not in none


def test_words_on_doubts_give_numbers_from_the_record():
    said = audit_tables.doubts_reading(RECORD)
    assert (
        "95.5 % of the 2,000 images" in said
        and "10 labels (0.50 %)" in said
        and "4 belong to test images (0.40 %" in said
    )
    assert "doubt 1 label (" in audit_tables.doubts_reading(
        changed(doubted_count=1, doubted_test=0)
    )
    assert audit_tables.doubts_reading(changed(doubted_count=0, doubted_test=0)).endswith(
        "and doubt no label."
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
    audits = {"audit-mnist": RECORD}
    table = audit_tables.twin_table(records, audits, "full")
    low, high = statistics.wilson(0, 50)
    assert [str(row[0]) for row in table.rows] == ["`mnist-mlp`"]
    assert table.rows[0][1:] == (
        "50.0 %",
        "50.00 %",
        "50",
        "0.00 %",
        f"{100 * low:.2f} to {100 * high:.2f}",
        "-50.00",
    )
    said = audit_tables.twins_reading(records, audits, "full")
    assert (
        "Of 1 accuracies, 0 lie inside" in said
        and "-50.00 points, is that of `mnist-mlp`, with 50 images left" in said
    )
    kept["mnist-mlp"]["y_pred"] = truth[None]
    assert "1 lie inside" in audit_tables.twins_reading(records, audits, "full")
    kept["audit-mnist"]["twin"] = np.ones(100, bool)
    assert audit_tables.twin_table(records, audits, "full").rows[0][3:] == ("0", "-", "-", "-")
    assert "nothing is left" in audit_tables.twins_reading(records, audits, "full")
    assert "No run" in audit_tables.twins_reading({}, audits, "full")

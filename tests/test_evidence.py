"""The evidence chapter: the bootstrap against drawing image by image, what published differences can show, and words that follow the numbers."""

import copy

import numpy as np
import pytest
from scipy import stats

from helpers import evidence, overview, results, runs, statistics

RECORD = {"run": "mnist-mlp", "parameters": {"profile": "full"}, "dataset": {"title": "MNIST", "label": "MNIST", "name": "mnist", "kind": "official", "test": 100, "classes": 3,
                                                                            "class_names": ["a", "b", "c"]},
          "seeds": [{"test_accuracy": 0.9, "nll": 0.3, "ece": 0.05, "temperature": 1.5, "nll_scaled": 0.2, "ece_scaled": 0.01}]}


def test_stratified_bootstrap_agrees_with_drawing_images_one_by_one():
    rng = np.random.default_rng(3)
    truth = rng.choice(3, 600, p=[0.7, 0.25, 0.05])
    right = rng.random((2, 600)) < np.array([0.95, 0.7, 0.4])[truth]
    value, low, high = statistics.stratified_bootstrap(truth, right, samples=4000)
    share, drawn = right.mean(axis=0), []
    for _ in range(2000):
        drawn.append(np.mean([share[rng.choice(np.flatnonzero(truth == label), (truth == label).sum())].mean() for label in range(3)]))
    assert value == pytest.approx(np.mean([statistics.balanced_accuracy(truth, np.where(one, truth, (truth + 1) % 3), 3) for one in right]))
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)


def test_stratified_bootstrap_of_nothing_but_right_or_wrong_answers_has_no_width():
    truth = np.array([0, 0, 1])
    assert statistics.stratified_bootstrap(truth, np.ones((1, 3), bool)) == (1, 1, 1)
    assert statistics.stratified_bootstrap(truth, np.zeros((1, 3), bool)) == (0, 0, 0)


def test_stratified_bootstrap_counts_the_classes_that_occur():
    assert statistics.stratified_bootstrap(np.array([0, 0, 5, 5]), np.array([[True, True, False, False]]))[0] == 0.5


def test_smallest_gap_is_where_the_exact_test_begins_to_see():
    need = statistics.smallest_gap(10000)
    assert need == 6
    for images, seen in ((need, True), (need - 1, False)):
        a, b = np.ones(100, bool), np.arange(100) >= images
        assert (statistics.mcnemar(a, b) < 0.05) == seen
    assert statistics.smallest_gap(5) is None


def test_independent_gap_by_hand():
    assert statistics.independent_gap(0.9, 0.8, 1000) == pytest.approx(stats.binomtest(180, 260, 0.5).pvalue)
    assert statistics.independent_gap(1.0, 1.0, 100) == 1.0 and statistics.independent_gap(0.9, 0.9, 100) == pytest.approx(1.0)


def entry(result, accuracy, **more):
    return {"data": "MNIST", "test": 10000, "result": result, "accuracy": accuracy, **more}


def test_gaps_rank_within_a_data_set_and_word_what_its_size_can_show():
    found = evidence.gaps([entry("low", 0.90), entry("top", 0.9955), entry("near", 0.9951), entry("mid", 0.993, selected=True), {**entry("other", 0.5), "data": "Fingers"}])
    assert [(gap["better"], gap["worse"], gap["images"], gap["verdict"]) for gap in found] == [
        ("top", "near", 4, "too small to show"), ("near", "mid", 21, "needs the answers"), ("mid", "low", 930, "large enough")]
    assert [gap["selected"] for gap in found] == [[], ["mid"], ["mid"]]


def test_words_on_gaps_change_with_the_accuracies():
    near, far = [entry("a", 0.99), entry("b", 0.9898)], [entry("a", 0.99), entry("b", 0.9)]
    assert "show 0 by itself; 1 are smaller" in evidence.gaps_reading(near, "x") and "show 1 by itself; 0 are smaller" in evidence.gaps_reading(far, "x")
    table = evidence.gap_table([entry("a", 0.99, selected=True), entry("b", 0.9)], "Steps.", "tbl-x")
    assert table.rows[0][1:3] == ("a * over b", "900") and "flatters" in table.note
    assert "flatters" not in evidence.gap_table(near, "Steps.", "tbl-x").note


def test_the_course_reports_accuracies_come_from_the_list_of_runs():
    found = {one["result"]: one["accuracy"] for one in evidence.course_entries()}
    assert found["mnist-mlp"] == runs.entry("mnist-mlp")["reported"]["test_accuracy"] and "fashion-dense" not in found and "k49-tuned" not in found
    assert all(runs.entry(run)["report"] in overview.REPORTS for run in found)
    assert {gap["data"] for gap in evidence.gaps(evidence.course_entries())} == {"MNIST", "EMNIST Letters", "EMNIST Balanced", "Fingers"}


def test_published_results_are_whole():
    for one in evidence.published_entries():
        assert set(one) - {"selected"} == {"data", "test", "result", "accuracy", "by"} and 0.5 < one["accuracy"] < 1 and one["test"] >= 10000


def test_table_of_evidence_names_interval_balance_and_worst_class(monkeypatch):
    truth = np.repeat([0, 1, 2], [50, 40, 10]).astype("uint8")
    answers = truth.copy()
    answers[90:98] = 0
    monkeypatch.setattr(results, "predictions", lambda profile, run: {"y_true": truth, "y_pred": answers[None]})
    row = evidence.accuracies({"mnist-mlp": RECORD}, "full").rows[0]
    low, high = statistics.wilson(92, 100)
    assert row[3] == f"{100 * low:.2f} to {100 * high:.2f}" and row[4] == f"{100 * (1 + 1 + 0.2) / 3:.2f}" and row[6] == "c: 20.0 %"


def test_words_on_calibration_follow_the_records():
    unsure = copy.deepcopy(RECORD)
    unsure["seeds"][0].update(temperature=0.8, ece_scaled=0.06, nll_scaled=0.4)
    assert evidence.calibration_reading({"a": RECORD}).startswith("All 1 runs are too sure")
    said = evidence.calibration_reading({"a": RECORD, "b": unsure})
    assert said.startswith("1 of 2 runs are too sure") and "calibration error of 1 of 2 runs" in said
    assert evidence.calibration_reading({"b": unsure}).startswith("None of 1 runs")
    assert evidence.calibration({"a": RECORD}).rows[0][1:] == ("0.300", "0.0500", "1.50", "0.200", "0.0100")

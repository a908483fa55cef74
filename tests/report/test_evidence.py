"""The evidence chapter: the bootstrap against drawing image by image, what published differences can show, and words that follow the numbers."""

import copy

import numpy as np
import pytest

from helpers import results, runs, statistics
from report import overview
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


def test_stratified_bootstrap_agrees_with_drawing_images_one_by_one():
    rng = np.random.default_rng(3)
    truth = rng.choice(3, 600, p=[0.7, 0.25, 0.05])
    right = rng.random((2, 600)) < np.array([0.95, 0.7, 0.4])[truth]
    value, low, high = statistics.stratified_bootstrap(truth, right, samples=4000)
    share, drawn = right.mean(axis=0), []
    for _ in range(2000):
        drawn.append(
            np.mean(
                [
                    share[rng.choice(np.flatnonzero(truth == label), (truth == label).sum())].mean()
                    for label in range(3)
                ]
            )
        )
    assert value == pytest.approx(
        np.mean(
            [
                statistics.balanced_accuracy(truth, np.where(one, truth, (truth + 1) % 3), 3)
                for one in right
            ]
        )
    )
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)


def test_stratified_bootstrap_of_nothing_but_right_or_wrong_answers_has_no_width():
    truth = np.array([0, 0, 1])
    assert statistics.stratified_bootstrap(truth, np.ones((1, 3), bool)) == (1, 1, 1)
    assert statistics.stratified_bootstrap(truth, np.zeros((1, 3), bool)) == (0, 0, 0)


def test_stratified_bootstrap_counts_the_classes_that_occur():
    assert (
        statistics.stratified_bootstrap(
            np.array([0, 0, 5, 5]), np.array([[True, True, False, False]])
        )[0]
        == 0.5
    )


def test_smallest_gap_is_where_the_exact_test_begins_to_see():
    need = statistics.smallest_gap()
    assert need == 6
    for images, seen in ((need, True), (need - 1, False)):
        a, b = np.ones(100, bool), np.arange(100) >= images
        assert (statistics.mcnemar(a, b) < 0.05) == seen


@pytest.mark.parametrize("wrong_a, wrong_b", [(45, 49), (10, 30), (0, 6), (0, 0), (20, 20)])
def test_no_answers_with_these_accuracies_give_a_larger_p_than_the_cautious_one(wrong_a, wrong_b):
    n, found = 200, []
    for shared in range(min(wrong_a, wrong_b) + 1):  # images that are wrong for both
        a, b = np.ones(n, bool), np.ones(n, bool)
        a[:wrong_a] = False
        b[wrong_a - shared : wrong_a - shared + wrong_b] = False
        assert (~a & ~b).sum() == shared
        found.append(statistics.mcnemar(a, b))
    assert (
        statistics.cautious_gap(1 - wrong_a / n, 1 - wrong_b / n, n)
        == pytest.approx(max(found))
        == pytest.approx(found[0])
    )


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
    assert all(runs.entry(run)["report"] in overview.REPORTS for run in found)
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


def test_words_on_calibration_follow_the_records():
    unsure = copy.deepcopy(RECORD)
    unsure["seeds"][0].update(temperature=0.8, ece_scaled=0.06, nll_scaled=0.4)
    assert evidence.calibration_reading({"a": RECORD}).startswith("Of 1 run, 1 gave")
    said = evidence.calibration_reading({"a": RECORD, "b": unsure})
    assert (
        said.startswith("Of 2 runs, 1 gave")
        and "calibration error in 1 and the negative log-likelihood in 1 of them" in said
    )
    assert (
        evidence.calibration_reading({"b": unsure}).startswith("Of 1 run, 0 gave")
        and evidence.calibration_reading({}) == ""
    )
    assert evidence.calibration({"a": RECORD}).rows[0][1:] == (
        "0.300",
        "0.0500",
        "1.50",
        "0.200",
        "0.0100",
    )


def test_a_temperature_at_the_edge_of_the_search_is_named():
    other = copy.deepcopy(RECORD) | {"run": "mnist-cnn"}
    other["seeds"][0]["temperature"] = statistics.TEMPERATURES[0] * 1.0001
    assert (
        "the least that it tries, 0.05, which says nothing about other images: `mnist-cnn`."
        in evidence.calibration({"mnist-mlp": RECORD, "mnist-cnn": other}).note
    )
    assert "least that it tries" not in evidence.calibration({"mnist-mlp": RECORD}).note


def test_recall_figures_keep_real_and_drawn_images_apart(monkeypatch, folders):
    truth = np.arange(30, dtype="uint8") % 3
    monkeypatch.setattr(
        results, "predictions", lambda profile, run: {"y_true": truth, "y_pred": truth[None]}
    )
    drawn = {
        **RECORD,
        "run": "mnist-cnn",
        "dataset": {**RECORD["dataset"], "label": "STAND-IN for MNIST", "kind": "stand-in"},
    }
    found = evidence.recall_figures({"mnist-mlp": RECORD, "mnist-cnn": drawn}, "full")
    assert [figure.label for figure in found] == [
        "fig-recalls-mnist",
        "fig-recalls-stand-in-for-mnist",
    ] and all(figure.path.exists() for figure in found)


def test_reliability_figure_shows_every_run_and_nothing_where_there_is_none(monkeypatch, folders):
    arrays = {name: np.full((1, 30), -0.1, "float16") for name in ("logp_pred", "logp_pred_scaled")}
    truth = np.zeros(30, "uint8")
    monkeypatch.setattr(
        results,
        "predictions",
        lambda profile, run: {"y_true": truth, "y_pred": truth[None], **arrays},
    )
    assert (
        evidence.reliability_figure({"mnist-mlp": RECORD}, "full").path.exists()
        and evidence.reliability_figure({}, "full") is None
    )

"""The report's tables over many runs: what stands beside a reported figure, and what must not."""

import pandas as pd
import pytest

from helpers import runs
from report import courses, tables


def record(run="mnist-mlp", accuracy=0.98, kind="official", profile="full", **more):
    """A record with a seed for each entry of `seconds`, or of `deviations` from its accuracy."""
    seconds = more.pop("seconds", [50.0] * len(more.get("deviations", [0])))
    deviations = more.pop("deviations", [0] * len(seconds))
    seeds = [
        {
            "seed": number,
            "test_accuracy": accuracy + deviation,
            "test_loss": 0.08,
            "train_accuracy": 0.99,
            "train_loss": 0.02,
            "epochs": 20,
            "seconds": spent,
            "seconds_per_epoch": spent / 20,
            "images_per_second": 20 / spent,
            "nll": 0.3,
            "ece": 0.05,
            "temperature": 1.5,
            "nll_scaled": 0.2,
            "ece_scaled": 0.01,
            "history": {"accuracy": [0.9, 0.97], "loss": [0.3, 0.1]},
            **more,
        }
        for number, (spent, deviation) in enumerate(zip(seconds, deviations))
    ]
    sizes = {"train": 54000, "validation": 6000, "test": 10000, "classes": 10}
    words = {
        "label": "MNIST",
        "title": "MNIST",
        "name": "mnist",
        "split": "official",
        "licence": "free",
        "sha256": "0123456789abcdef",
    }
    return {
        "run": run,
        "seeds": seeds,
        "parameters": {"profile": profile, "network": "mnist_mlp"},
        "parameter_count": 669706,
        "dataset": {"kind": kind, **sizes, **words},
        "hardware": {"threads": 1},
        "layers": [{"macs": 668672}, {"macs": 1000}],
    }


def trainings(*records):
    """The rows of results.frame of records that lie on no disk."""
    return pd.DataFrame({"run": one["run"], **seed} for one in records for seed in one["seeds"])


def by_name(*records):
    return {one["run"]: one for one in records}


def cells(shown):
    """The cells of a frame or a table as text."""
    rows = shown.values if isinstance(shown, pd.DataFrame) else shown.rows
    return [[str(cell) for cell in row] for row in rows]


def test_verdict_follows_the_rule_and_never_compares_what_must_not_be_compared():
    reported, spread = runs.entry("mnist-mlp")["reported"]["test_accuracy"], (-0.001, 0, 0.001)
    for shift, verdict in ((0, "within"), (0.01, "above"), (-0.01, "below")):
        one = record(accuracy=reported + shift, deviations=spread)
        assert courses.verdict(one) == verdict
    wide = record(accuracy=reported - 0.01, deviations=(-0.01, 0, 0.01))
    assert courses.verdict(wide) == "within"
    few = record(accuracy=reported, deviations=(-0.001, 0.001))
    assert courses.verdict(few) == "too few trainings"
    assert courses.verdict(record(kind="stand-in")) == "stand-in"
    assert courses.verdict(record(kind="partial")) == "part of the data"
    assert courses.verdict(record(profile="quick")) == "short run"
    assert courses.verdict(record("fashion-dense")) == "not reported"


def test_a_runs_accuracy_stands_beside_the_reported_one_but_not_a_stand_ins():
    records = by_name(record(seconds=[50, 60, 1900]), record("mnist-first", kind="stand-in"))
    shown = tables.compared(records, "mnist-2019")
    name, other = (runs.title(run) for run in ("mnist-mlp", "mnist-first"))
    assert cells(shown)[0] == [name, "98.20 %", "98.00 ± 0.00 %", "3", "below"]
    assert cells(shown)[1] == [other, "–", "98.00 %", "1", "stand-in"]
    assert tables.compared(records, "k49").rows == []


def test_a_report_without_test_accuracies_and_runs_of_ones_own_are_held_against_nothing(
    monkeypatch,
):
    shown = tables.compared(by_name(record("fashion-dense")), "fashion-2021")
    assert shown.head == ["Network", "Measured", "n"]
    entry = {**runs.entry("mnist-mlp"), "report": "shapes"}
    monkeypatch.setattr(runs, "entry", lambda run: entry)
    shown = tables.compared(by_name(record()), "shapes")
    assert "Verdict" not in shown.head and shown.label == "tbl-shapes"


@pytest.mark.parametrize("kind, sign", [("partial", " †"), ("substitute", " ‡"), ("official", "")])
def test_images_that_are_not_the_official_ones_have_a_sign(kind, sign):
    shown = tables.compared(by_name(record(kind=kind)), "mnist-2019")
    assert cells(shown)[0][0] == runs.title("mnist-mlp") + sign


def test_a_run_leads_to_the_page_of_its_notebook_where_there_is_one(folders):
    from helpers.store import files, paths

    files.save_bytes(paths.executed("full") / "mnist-mlp.html", b"a page")
    linked = [str(courses.linked(run, "full")) for run in ("mnist-mlp", "mnist-cnn")]
    assert linked == ["[`mnist-mlp`](notebooks/mnist-mlp.html)", "`mnist-cnn`"]


def test_seconds_are_medians_which_one_paused_training_does_not_move():
    wanted = {"n": ("seed", "count"), "Seconds": ("seconds", tables.whole("median"))}
    shown = tables.by_run(trainings(record(seconds=[50, 60, 900])), wanted)
    assert cells(shown) == [["`mnist-mlp`", "3", "60"]]


def test_a_cell_has_mean_and_deviation_of_several_seeds_and_one_number_of_one():
    wanted = {"ECE": ("ece", tables.mean(4)), "Test": ("test_accuracy", tables.mean(2, " %"))}
    shown = tables.by_run(trainings(record(deviations=[-0.01, 0.01]), record("k49-tuned")), wanted)
    assert cells(shown) == [
        ["`mnist-mlp`", "0.0500 ± 0.0000", "98.00 ± 1.41 %"],
        ["`k49-tuned`", "0.0500", "98.00 %"],
    ]


def test_training_figures_stand_beside_the_reported_ones_but_not_a_stand_ins():
    shown = tables.reported(by_name(record(), record("emnist-first-letters")))
    first, other = cells(shown)
    assert first[3:] == ["99.88 %", "97.00 %", "99.00 %", "0.0038", "0.1000", "0.0200"]
    assert other[1] == "0.5046"
    assert pd.isna(shown["Training, reported"].iloc[1]), "this report gives a test loss only"
    assert tables.reported(by_name(record(kind="stand-in"))).empty


def test_a_data_set_is_shown_once_with_the_largest_sizes_that_a_run_used():
    small, large = record("mnist-cnn"), record()
    small["dataset"] = {**small["dataset"], "train": 900}
    shown = tables.data({"mnist-cnn": small, "mnist-mlp": large})
    assert cells(shown) == [
        ["MNIST", "official", "10", "54,000 / 6,000 / 10,000", "official", "free", "0123456789ab"]
    ]


def test_two_data_sets_of_one_title_are_two_and_one_of_ones_own_is_not_official():
    other = record("mnist-cnn")
    other["dataset"] = {**other["dataset"], "sha256": "f" * 64, "name": "shapes"}
    shown = cells(tables.data({"mnist-cnn": other, "mnist-mlp": record()}))
    assert [row[1] for row in shown] == ["own", "official"]


def test_a_network_is_shown_once_with_its_cost_and_the_number_of_its_runs():
    shown = tables.networks(by_name(record(seconds=[1, 2]), record("mnist-cnn")))
    assert cells(shown) == [["`mnist_mlp`", "669706", "669672", "2"]]


@pytest.mark.parametrize(
    "given, shown",
    [({}, "found by search"), ({"networks": "carlosnet+strong mnist_cnn"}, "carlosnet")],
)
def test_an_edition_in_which_no_run_has_a_parameter_network_has_its_table(given, shown):
    one = {**record(), "parameters": {"profile": "full", **given}}
    assert cells(tables.networks(by_name(one)))[0][0] == f"`{shown}`"


@pytest.mark.parametrize(
    "table",
    [
        tables.networks,
        tables.reported,
        tables.data,
        lambda records: tables.compared(records, "k49"),
        lambda records: tables.by_run(
            trainings(record()).iloc[:0], {"ECE": ("ece", tables.mean(4))}
        ),
    ],
)
def test_an_edition_without_a_run_of_the_course_reports_has_empty_tables(table):
    assert cells(table({})) == []

"""Intervals and tests against independent libraries and hand-computed cases; claims that are worded by their outcome."""

import html
import re

import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from helpers import results, runs, statistics
from helpers.show import tables
from helpers.store import files, paths
from report import overview, readme
from report.prose import claims


@pytest.mark.parametrize("successes, n", [(0, 10), (10, 10), (1, 3), (9849, 10000), (1, 1)])
def test_wilson_interval_agrees_with_statsmodels_at_the_edges_too(successes, n):
    assert statistics.wilson(successes, n) == pytest.approx(
        proportion_confint(successes, n, method="wilson"), abs=1e-12
    )


@pytest.mark.parametrize("only_a, only_b", [(0, 0), (1, 0), (0, 7), (5, 5), (30, 12)])
def test_exact_mcnemar_agrees_with_statsmodels(only_a, only_b):
    a = np.array([True] * only_a + [False] * only_b + [True, False])
    b = np.array([False] * only_a + [True] * only_b + [True, False])
    expected = mcnemar([[1, only_a], [only_b, 1]], exact=True).pvalue if only_a + only_b else 1.0
    assert statistics.mcnemar(a, b) == pytest.approx(min(1.0, expected))


@pytest.mark.parametrize("p", [[0.01], [0.04, 0.01, 0.03], [0.5, 0.5, 0.5], [0.0, 1.0, 0.2, 0.02]])
def test_holm_correction_agrees_with_statsmodels_in_the_given_order(p):
    assert statistics.holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_holm_of_no_claims_is_empty():
    assert statistics.holm([]) == []


def test_bootstrap_interval_covers_the_textbook_interval_of_a_paired_difference():
    rng = np.random.default_rng(1)
    a, b = rng.random((1, 4000)) < 0.9, rng.random((1, 4000)) < 0.88
    difference, low, high = statistics.paired_bootstrap(a, b)
    half = 1.96 * np.std(a[0].astype(float) - b[0], ddof=1) / np.sqrt(4000)
    assert difference == pytest.approx(a.mean() - b.mean(), abs=1e-6)
    assert (low, high) == pytest.approx((difference - half, difference + half), abs=0.15 * half)


def test_bootstrap_of_a_run_against_itself_is_nothing_at_all():
    right = np.random.default_rng(0).random((1, 500)) < 0.5
    assert statistics.paired_bootstrap(right, right) == (0, 0, 0)


def test_bootstrap_interval_grows_with_the_spread_over_seeds():
    base = np.random.default_rng(0).random(2000) < 0.9
    other = base.copy()
    other[:200] = False
    alike, apart = np.stack([base, base, base]), np.stack([base, base, other])
    width = [
        high - low
        for _, low, high in (statistics.paired_bootstrap(one, alike) for one in (alike, apart))
    ]
    assert width[1] > width[0]


def test_bootstrap_over_patterns_is_the_one_that_draws_images_and_seeds_one_by_one():
    rng = np.random.default_rng(3)
    hard = rng.random(300) < 0.2
    a, b = (
        rng.random((seeds, 300)) < np.where(hard, *shares)
        for seeds, shares in ((3, (0.5, 0.97)), (2, (0.4, 0.95)))
    )
    gaps = []
    for _ in range(4000):
        images = rng.integers(300, size=300)
        gaps.append(
            np.subtract(
                *(one[rng.integers(len(one), size=len(one))][:, images].mean() for one in (a, b))
            )
        )
    difference, low, high = statistics.paired_bootstrap(a, b, samples=20000)
    assert difference == pytest.approx(a.mean() - b.mean())
    assert (low, high) == pytest.approx(
        np.percentile(gaps, [2.5, 97.5]), abs=0.003
    )  # three thousandths of an interval of .06


def test_balanced_accuracy_by_hand_with_a_rare_a_missing_and_an_unpredicted_class():
    truth, answers = np.array([0, 0, 0, 0, 1, 3]), np.array([0, 0, 0, 1, 0, 3])
    recalls = statistics.recalls(truth, answers, 4)
    assert recalls[:2] == pytest.approx([0.75, 0]) and np.isnan(recalls[2]) and recalls[3] == 1
    assert statistics.balanced_accuracy(truth, answers, 4) == pytest.approx((0.75 + 0 + 1) / 3)


def test_a_constant_classifier_has_the_balanced_accuracy_of_chance():
    truth = np.repeat(np.arange(10), [100, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    assert statistics.balanced_accuracy(truth, np.zeros_like(truth), 10) == pytest.approx(0.1)


def _record(run, accuracy, kind="official", profile="full", n=10000, deviations=(0.0,)):
    seeds = [
        {"seed": index, "test_accuracy": accuracy + off} for index, off in enumerate(deviations)
    ]
    return {
        "run": run,
        "seeds": seeds,
        "parameters": {"profile": profile},
        "dataset": {"kind": kind, "test": n, "sha256": "x", "label": "MNIST"},
    }


def test_verdict_follows_the_rule_and_never_compares_what_must_not_be_compared():
    reported = runs.entry("mnist-mlp")["reported"]["test_accuracy"]
    assert overview.verdict(_record("mnist-mlp", reported)) == "within"
    assert overview.verdict(_record("mnist-mlp", reported + 0.01)) == "above"
    assert overview.verdict(_record("mnist-mlp", reported - 0.01)) == "below"
    assert (
        overview.verdict(_record("mnist-mlp", reported - 0.01, deviations=(-0.01, 0.01)))
        == "within"
    )
    assert overview.verdict(_record("mnist-mlp", reported, kind="stand-in")) == "stand-in"
    assert overview.verdict(_record("mnist-mlp", reported, kind="partial")) == "part of the data"
    assert overview.verdict(_record("mnist-mlp", reported, profile="quick")) == "short run"
    assert overview.verdict(_record("fashion-dense", 0.9)) == "not reported"


def _trained(run, seconds, kind="official", threads=1):
    seeds = [
        {
            "seed": index,
            "test_accuracy": 0.98,
            "train_accuracy": 0.99,
            "train_loss": 0.02,
            "epochs": 20,
            "seconds": one,
            "seconds_per_epoch": one / 20,
            "images_per_second": 20 / one,
            "history": {"accuracy": [0.9, 0.97], "loss": [0.3, 0.1]},
        }
        for index, one in enumerate(seconds)
    ]
    record = _record(run, 0.98, kind)
    return {
        **record,
        "seeds": seeds,
        "hardware": {"threads": threads},
        "dataset": {**record["dataset"], "train": 54000},
    }


def test_seconds_are_medians_which_one_paused_training_does_not_move():
    table = overview.time({"mnist-mlp": _trained("mnist-mlp", [50, 60, 900])})
    assert [str(cell) for cell in table.rows[0]][3:6] == [
        "60",
        "3.0",
        "0",
    ] and "one thread, beside" not in table.note
    large = {"fingers-ivannet-plain": _trained("fingers-ivannet-plain", [900], "partial")}
    assert "the grid would give it more: `fingers-ivannet-plain`." in overview.time(large).note


def test_training_figures_stand_beside_the_reported_ones_but_not_a_stand_ins():
    shown = overview.training(
        {run: _trained(run, [50]) for run in ("mnist-mlp", "emnist-first-letters")}
    )
    assert [str(cell) for cell in shown.rows[0]][:7] == [
        "`mnist-mlp`",
        "99.88 %",
        "97.00 %",
        "99.00 %",
        "0.0038",
        "0.1000",
        "0.0200",
    ] and len(shown.rows) == 1, "the other report gives none"
    assert not len(overview.training({"mnist-mlp": _trained("mnist-mlp", [50], "stand-in")}).rows)


def test_the_transformation_that_costs_most_is_named_and_the_reports_figures_stand_beside_ours():
    record = _record("fingers-carlosnet-plain", 0.99, "partial")
    record["seeds"][0] |= {
        "transformed": {"test": 0.2},
        "single": {"flip_horizontal": 0.98, "shift": 0.3, "rotation": 0.5},
    }
    record["extra"] = {"chance": 0.17, "neighbour": {"plain": 1.0}}
    told = tables.generalisation_reading(record)
    assert (
        "shifts cost it most: 30.0 % are left, and 98.0 % under flips from left to right" in told
        and "19.72 % for training images and 19.17 % for test images" in told
    )
    record["dataset"]["kind"] = "stand-in"
    assert "The course report gives" not in tables.generalisation_reading(record)


def _claim(**changes):
    return {
        "claim": "A beats B",
        "run_a": "a",
        "run_b": "b",
        "data": "MNIST",
        "p": 0.01,
        "p_holm": 0.01,
        "difference": 0.02,
        "low": 0.01,
        "high": 0.03,
        "changed": "",
        **changes,
    }


def test_a_claims_sentence_changes_with_its_outcome():
    outcomes = [
        _claim(),
        _claim(low=-0.03, high=-0.01, difference=-0.02),
        _claim(p_holm=0.2),
        _claim(low=-0.001),
    ]
    verdicts = [claims.verdict(one) for one in outcomes]
    assert verdicts == ["holds", "the opposite holds", "not decided", "not decided"]
    said = [
        claims.sentence([{**one, "verdict": verdict}], "a", "b")
        for one, verdict in zip(outcomes, verdicts)
    ]
    assert (
        "bear this out" in said[0]
        and "opposite" in said[1]
        and "do not decide" in said[2]
        and "+2.00 points" in said[0]
    )
    assert claims.sentence([], "a", "b") == "" and "also changed" not in said[0]
    assert "; in training also changed: epochs 5 to 20)" in claims.sentence(
        [{**_claim(changed="epochs 5 to 20"), "verdict": "holds"}], "a", "b"
    ), "a claim on one part discloses the others"


def test_claims_are_judged_on_the_same_images_and_written_beside_the_report(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "OUT", tmp_path)
    truth = np.random.default_rng(0).integers(0, 10, 1000).astype("uint8")
    good, bad = truth.copy(), truth.copy()
    good[:20], bad[:100] = (good[:20] + 1) % 10, (bad[:100] + 1) % 10
    records = {}
    for run, answers in (("mnist-first", good), ("mnist-mlp", bad), ("mnist-cnn", good)):
        records[run] = _record(run, float((answers == truth).mean()), n=1000)
        y_true = (
            truth if run != "mnist-cnn" else np.roll(truth, 1)
        )  # other images: cannot be paired
        np.savez(_folder(tmp_path) / f"{run}.npz", y_true=y_true, y_pred=answers[None])
    found = claims.judge("full", records)
    assert [(one["run_a"], one["run_b"], one["verdict"]) for one in found] == [
        ("mnist-first", "mnist-mlp", "holds")
    ]
    assert found[0]["difference"] == pytest.approx(0.08) and found[0]["p"] < 1e-6
    assert files.load_json(tmp_path / "report" / "full" / "claims.json") == found


def _folder(tmp_path):
    folder = tmp_path / "report" / "full" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_every_claim_names_runs_that_exist():
    known = runs.select()
    assert all(run in known for _, a, b in claims.CLAIMS for run in (a, b))


def test_the_readme_shows_the_committed_records_and_nothing_else(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    between = text.split(readme.START)[1].split(readme.END)[0].strip()
    assert between == readme.table()
    for run, record in overview.courses(results.load_all("full")).items():
        assert f"`{run}`" in between and record["dataset"]["label"] in between


def test_the_committed_report_shows_the_committed_records(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    page = (paths.report("full") / "report.html").read_text(encoding="utf-8")
    rows = [
        [
            html.unescape(re.sub("<[^>]*>", "", cell))
            for cell in re.findall("<td.*?</td>", row, re.DOTALL)
        ]
        for row in re.findall("<tr>.*?</tr>", page, re.DOTALL)
    ]
    for run, record in results.load_all("full").items():
        if runs.entry(run)["report"] != "audit":
            shown = tables.share(record, "test_accuracy")
            assert any(
                row[:1] == [run] and shown in row and str(len(record["seeds"])) in row
                for row in rows
            ), f"{run}, {shown}: run `make report PROFILE=full`"


def test_the_readme_sets_experiments_apart_and_counts_the_runs_of_the_reports_only(
    tmp_path, monkeypatch
):
    def made(run):
        seeds = [{"test_accuracy": 0.98, "seconds": 10.0}]
        return {
            "run": run,
            "seeds": seeds,
            "parameters": {"profile": "full"},
            "parameter_count": 5,
            "dataset": {"kind": "official", "test": 10000, "label": "MNIST"},
        }

    monkeypatch.setattr(
        results,
        "load_all",
        lambda profile: {run: made(run) for run in runs.select() if run.startswith("mnist")},
    )
    first, apart = readme.table().split("Experiments of our own")
    assert (
        "`mnist-first-course`" not in first
        and "`mnist-first`" in first
        and "Not measured yet: `fashion-dense`" in first
    )
    assert "| `mnist-first-course` | `mnist-first` | MNIST | 98.00 % | 1 |" in apart
    monkeypatch.setattr(results, "load_all", lambda profile: {"mnist-mlp": made("mnist-mlp")})
    assert "Experiments" not in readme.table() and "-course" not in readme.table()

"""The register of claims: one rule, seeds that are paired, and verdicts that follow the records."""

import copy
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from helpers import results, runs
from helpers.store import files, paths
from helpers.store.fields import QUANTITIES
from report import claims, courses, verdicts

FULL = paths.ROOT / "report" / "full"
VERDICTS = {claims.HOLDS, claims.FAILS, claims.CLOSE, claims.CANNOT}


@pytest.fixture
def judged(monkeypatch):
    """`judged(records)`: the register of the committed predictions, with nothing written."""
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    monkeypatch.setattr(files, "save_json", lambda path, content: None)
    return lambda records: claims.judge("full", records)


@pytest.fixture(scope="module")
def committed():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paths, "OUT", paths.ROOT)
        return results.load_all("full")


def entry(expected=">", low=0.01, high=0.03, p_holm=0.01, **more):
    """An entry of the register; `over` is the interval over images, unless told the same."""
    over = dict(zip(("low_images", "high_images"), more.pop("over", (low, high))))
    known = {"why": None, "n": 5, "difference": (low + high) / 2, "margin": 0.02, "key": "D1"}
    numbers = {"expected": expected, "low": low, "high": high, "p_holm": p_holm}
    return {**known, **numbers, **over, **more}


@pytest.mark.parametrize(
    "one, verdict",
    [
        (entry(), claims.HOLDS),
        (entry("<"), claims.FAILS),
        (entry("<", -0.03, -0.01), claims.HOLDS),
        (entry(low=-0.03, high=-0.01), claims.FAILS),
        (entry(p_holm=0.06), claims.CLOSE),
        (entry("<", p_holm=0.06), claims.CLOSE),
        (entry(over=(-0.001, 0.04)), claims.CLOSE),
        (entry(over=(None, None)), claims.HOLDS),
        (entry("=", -0.01, 0.01), claims.HOLDS),
        (entry("=", -0.01, 0.01, p_holm=0.06), claims.CLOSE),
        (entry("=", -0.01, 0.01, over=(-0.01, 0.021)), claims.CLOSE),
        (entry("=", 0.021, 0.03, p_holm=1), claims.FAILS),
        (entry("=", -0.03, -0.021, p_holm=1), claims.FAILS),
        (entry("=", 0.01, 0.03, p_holm=1), claims.CLOSE),
        (entry(why="2 paired seeds"), claims.CANNOT),
    ],
)
def test_the_one_rule(one, verdict):
    assert claims.verdict(one) == verdict


@pytest.mark.parametrize(
    "verdicts, whole",
    [
        ([claims.HOLDS, claims.HOLDS], claims.HOLDS),
        ([claims.HOLDS, claims.CLOSE], claims.CLOSE),
        ([claims.CLOSE, claims.CANNOT], claims.CANNOT),
        ([claims.CANNOT, claims.FAILS], claims.FAILS),
    ],
)
def test_a_claim_holds_if_all_its_parts_do(verdicts, whole):
    assert claims.overall([{"verdict": verdict} for verdict in verdicts]) == whole


def record(run, accuracies, **dataset):
    """A record of as many seeds, trained with TensorFlow on the processor."""
    made = {"versions": {"backend": "tensorflow"}, "hardware": {"accelerator": None}}
    history = {"val_loss": [0.2, 0.1], "loss": [0.3, 0.1], "val_accuracy": [0.9, 0.95]}
    seeds = [
        {"seed": number, "test_accuracy": accuracy, "history": history}
        for number, accuracy in enumerate(accuracies)
    ]
    data = {"sha256": "x", "test": 1000, "label": "MNIST", "kind": "official", **dataset}
    return {"run": run, "seeds": seeds, "dataset": data, "parameters": {"profile": "full"}, **made}


def right(run):
    rng = np.random.default_rng(len(run))
    return rng.random((3, 1000)) < 0.9


A, B = record("a", [0.95, 0.96, 0.94]), record("bb", [0.90, 0.92, 0.91])


def test_seeds_are_paired_by_their_number_not_their_place():
    turned = {**B, "seeds": B["seeds"][::-1]}
    assert claims.compare(A, turned, right)["low"] == claims.compare(A, B, right)["low"]
    fewer = {**B, "seeds": B["seeds"][1:]}
    told = claims.compare(A, fewer, right)
    assert told["n"] == 2 and told["difference"] == pytest.approx(0.035)


def test_only_seeds_of_one_back_end_and_device_are_paired():
    other = copy.deepcopy(B)
    other["seeds"][0] |= {"versions": {"backend": "jax"}}
    other["seeds"][1] |= {"hardware": {"accelerator": "a card"}}
    assert claims.compare(A, other, right)["n"] == 1
    assert claims.compare(A, other, right)["p"] is None


def test_nothing_is_paired_that_saw_other_test_images():
    for change in ({"sha256": "y"}, {"test": 900}):
        assert claims.compare(A, record("b", [0.9] * 3, **change), right)["n"] == 0


def test_a_method_without_seeds_and_a_number_are_constants():
    neighbour = record("audit", [0.9])
    del neighbour["seeds"][0]["history"]
    told = claims.compare(A, neighbour, lambda run: right(run)[: 1 if run == "audit" else 3])
    assert told["n"] == 3 and told["difference"] == pytest.approx(0.05)
    against = claims.compare(A, None, right, reference=0.9)
    assert [against[name] for name in ("difference", "low", "p")] == pytest.approx(
        [told[name] for name in ("difference", "low", "p")]
    )
    assert against["low_images"] < against["low"]


def test_every_quantity_is_that_of_its_name():
    history = {"val_loss": [0.5, 0.3, 0.2, 0.4, 0.25, 0.45], "loss": [0.6, 0.2, 0.3, 0.3, 0.3, 0.3]}
    history["val_accuracy"] = [0.1, 0.5, 0.6, 0.7, 0.8, 0.9]
    seed = {"train_accuracy": 0.99, "test_accuracy": 0.97, "train_loss": 0.02, "test_loss": 0.08}
    seed |= {"history": history, "transformed": {"test": 0.3}, "seconds": 12}
    seed["trials"] = [
        {"search": search, "score": score}
        for search, score in (("random search", 0.8), ("random search", 0.9), ("Hyperband", 0.85))
    ]
    wanted = {"gap": 0.02, "loss_gap": 0.06, "loss_ratio": 4, "transformed": 0.3, "best_epoch": 3}
    wanted |= {"late_accuracy": 0.7, "loss_below": 0.5, "search_lead": 0.05, "seconds": 12}
    wanted["swing"] = np.std([-0.15, 0.2], ddof=1)
    for name, value in wanted.items():
        assert claims.measure(seed, name) == pytest.approx(value), name
    for name in (*wanted, "nll"):
        assert claims.measure({"test_accuracy": 0.9}, name) is None
    assert set(claims.DERIVED) <= set(QUANTITIES), "runs.yaml may name each"


def test_every_claim_has_a_key_of_its_own_and_names_runs_on_the_same_data():
    every = runs.claims()
    last = {"D": 12, "C": 4, "E": 3, "K": 4, "F": 4}
    wanted = [f"{letter}{n}" for letter in last for n in range(1, last[letter] + 1)]
    assert {claim["key"] for claim in every if claim["family"] == "reports"} == set(wanted)
    for claim in every:
        first = runs.parameters(claim["run_a"], "quick")["dataset"]
        assert not claim["run_b"] or first == runs.parameters(claim["run_b"], "quick")["dataset"]
        margin = 0.0025 if first == "mnist" else 0.01
        assert claim["margin"] == (margin if claim["expected"] == "=" else None), claim["key"]
    parts = {key: [c["part"] for c in every if c["key"] == key] for key in wanted}
    for key, numbers in parts.items():
        expected = [None] if len(numbers) == 1 else list(range(1, len(numbers) + 1))
        assert sorted(numbers, key=lambda n: n or 0) == expected, key


CONTRACT = """key part expected family quantity run_a run_b reference n difference low high
low_images high_images p p_holm margin verdict""".split()


def test_the_committed_claims_are_those_of_the_committed_records(judged, committed):
    written = files.load_json(FULL / "claims.json")
    there = {entry["run_a"] for entry in written if entry["n"] or entry["data"]}
    again_judged = [entry for entry in judged(committed) if entry["run_a"] in there]
    assert len(written) == len(again_judged)  # a claim of a run that is not trained waits
    for entry, again in zip(written, again_judged, strict=True):
        assert set(CONTRACT) <= set(entry) and entry["verdict"] in VERDICTS
        assert entry["n"] >= claims.FEWEST or entry["verdict"] == claims.CANNOT
        for name, value in again.items():
            assert entry[name] == (pytest.approx(value) if isinstance(value, float) else value)


def of(register, key, part=None):
    [found] = [e for e in register if (e["key"], e["part"]) == (key, part)]
    return found


def test_altered_records_change_verdicts(judged, committed):
    altered = copy.deepcopy(committed)
    for number, seed in enumerate(altered["mnist-mlp"]["seeds"]):
        seed["test_loss"] = seed["train_loss"] * (1 + 0.001 * number)
    for number, seed in enumerate(altered["fingers-carlosnet-plain"]["seeds"]):
        seed["transformed"]["test"] = 0.99 + 0.0001 * number
    for number, seed in enumerate(altered["k49-tuned"]["seeds"]):
        seed["train_accuracy"] = seed["test_accuracy"] + 0.0001 * number
    before, after = judged(committed), judged(altered)
    assert of(before, "D1")["verdict"] == claims.HOLDS
    assert of(after, "D1")["verdict"] == claims.FAILS
    assert of(before, "F1", 1)["verdict"] != of(after, "F1", 1)["verdict"]
    altered["k49-tuned"]["dataset"]["kind"] = "official"
    assert of(after, "K1")["verdict"] == claims.CANNOT, "substitute data decide nothing"
    assert of(judged(altered), "K1")["verdict"] == claims.HOLDS


def test_a_verdict_needs_three_pairs_the_full_run_and_for_the_reports_official_images(
    judged, committed
):
    altered = copy.deepcopy(committed)
    altered["mnist-mlp"]["seeds"] = altered["mnist-mlp"]["seeds"][:2]
    del altered["fashion-dense"]
    altered["mnist-third"]["parameters"]["profile"] = "quick"
    altered["mnist-second-v2"]["dataset"]["kind"] = "partial"
    register = judged(altered)
    for key, part, why in (
        ("D1", None, "2 paired seeds"),
        ("C1", None, "no record"),
        ("D8", 1, "short run"),
        ("D7", 1, "part of the data"),
    ):
        one = of(register, key, part)
        assert (one["verdict"], one["why"]) == (claims.CANNOT, why), key
    assert of(register, "letters-memory")["verdict"] != claims.CANNOT, "ours speak of their images"


def test_an_edition_without_records_judges_nothing(judged):
    register = judged({})
    assert {e["verdict"] for e in register} == {claims.CANNOT} and register[0]["p_holm"] is None


def test_claims_are_shown_where_an_edition_has_a_run_of_theirs(judged, committed):
    entries = claims.of_reports(judged({"k49-tuned": committed["k49-tuned"]}))
    told = verdicts.shown(entries).set_index("Claim")
    assert tuple(told.loc["K4", ["Verdict", "Why"]]) == (claims.CANNOT, " (no record)")
    assert "D1" in told.index and verdicts.shown(claims.of_reports(judged({}))).empty


def test_claims_have_a_row_for_each_part_in_the_order_of_the_reports(judged, committed):
    told = verdicts.shown(claims.of_reports(judged(committed)))
    keys = list(told["Claim"])
    assert keys[:4] == ["D1", "D2.1", "D2.2", "D3.1"] and keys[-1].startswith("F4")
    assert "`mnist-cnn` > `mnist-mlp`" in str(told["Compared"][1])
    assert "mnist-cnn" not in told["What it says"][1]


def test_a_reported_figure_is_judged_by_the_interval_that_is_drawn(committed):
    words = {run: courses.verdict(one) for run, one in courses.of_all(committed).items()}
    reported = runs.entry("mnist-mlp")["reported"]["test_accuracy"]
    single = copy.deepcopy(committed["mnist-mlp"])
    single["seeds"] = single["seeds"][:2]
    assert courses.verdict(single) == "too few trainings" and words["mnist-mlp"] == "within"
    for seed in committed["mnist-mlp"]["seeds"]:
        assert abs(seed["test_accuracy"] - reported) < 0.01


def recomputed(folder):
    command = [sys.executable, paths.ROOT / "tests" / "recompute_claims.py", folder]
    return subprocess.run(command, capture_output=True, text=True)


def test_an_independent_reader_finds_the_same_numbers():
    done = recomputed(FULL)
    assert done.returncode == 0, done.stdout + done.stderr


def copied(folder, *own):
    """The full edition's claims and results: links, copies of the files of the runs `own`."""
    (folder / "results").mkdir()
    for path in (FULL / "results").iterdir():
        if path.suffix in (".json", ".npz") and path.stem not in own:
            (folder / "results" / path.name).symlink_to(path)
    for path in (path for run in own for path in (FULL / "results").glob(f"{run}.*")):
        shutil.copy(path, folder / "results")
    shutil.copy(FULL / "claims.json", folder)


@pytest.mark.parametrize("told", [False, True], ids=["alone", "and its record"])
@pytest.mark.parametrize("run", ["mnist-cnn", "emnist-third-bymerge", "fingers-ivannet-plain"])
def test_an_independent_reader_notices_one_changed_prediction(tmp_path, run, told):
    copied(tmp_path, run)
    table, record = (tmp_path / "results" / f"{run}.{kind}" for kind in ("npz", "json"))
    with np.load(table) as archive:
        arrays = dict(archive)
    known, predicted = json.loads(record.read_text()), arrays["y_pred"]
    predicted[0, 0] = (arrays["y_true"][0] + (predicted[0, 0] == arrays["y_true"][0])) % (
        known["dataset"]["classes"]
    )
    np.savez(table, **arrays)
    known["seeds"][0]["test_accuracy"] = float((predicted[0] == arrays["y_true"]).mean())
    if told:
        record.write_text(json.dumps(known))
    done = recomputed(tmp_path)
    assert done.returncode == 1
    assert (f"{run}, seed 0" in done.stdout) != told
    assert not told or "difference is" in done.stdout


@pytest.mark.parametrize(
    "field, value",
    [("expected", "<"), ("quantity", "nll"), ("margin", 0.5), ("run_b", "mnist-mlp")],
)
def test_an_independent_reader_notices_what_was_compared(tmp_path, field, value):
    copied(tmp_path)
    written = json.loads((tmp_path / "claims.json").read_text())
    entry = next(entry for entry in written if entry["key"] == "D9")
    assert entry[field] != value
    entry[field] = value
    (tmp_path / "claims.json").unlink()
    (tmp_path / "claims.json").write_text(json.dumps(written))
    done = recomputed(tmp_path)
    assert done.returncode == 1 and f"{field} is {value}" in done.stdout


def test_an_audit_stands_with_the_audits_whatever_report_it_names(monkeypatch):
    entry = runs.entry
    other = {"audit-mnist": {**entry("audit-mnist"), "report": "shapes"}}
    monkeypatch.setattr(runs, "entry", lambda run: other.get(run) or entry(run))
    records = {"mnist-mlp": {}, "audit-mnist": {}, "audit-fashion": {}}
    assert list(courses.of_all(records)) == ["mnist-mlp"]
    assert list(courses.of_report(records, "audit")) == ["audit-mnist", "audit-fashion"]
    assert not courses.of_report(records, "shapes")


def test_what_stands_in_place_of_an_interval_says_of_what_there_is_one():
    numbers = {"difference": 0.01, "low": None, "high": None, "low_images": None}
    entry = {**numbers, "quantity": "test_accuracy", "n": 1, "why": "1 paired seed"}
    told = [
        verdicts.interval({**entry, "run_b": run_b, "reference": reference, "why": why})
        for run_b, reference, why in (
            ("mnist-cnn", None, "1 paired seed"),
            (None, 0.5, "1 paired seed"),
            ("mnist-cnn", None, "stand-in"),
            (None, 0.5, "stand-in"),  # a drawn image's figure against a number of a report
        )
    ]
    assert told == ["+1.00 (one pair)", "+1.00 (one training)", "+1.00 (one pair)", "-"]

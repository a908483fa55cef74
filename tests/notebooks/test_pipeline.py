"""From `python -m grid` to the report, end to end on profile smoke, on stand-ins.

And on real images where a mirror lies beside the repository.
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from helpers import results, statistics
from helpers.store import files, paths

pytestmark = pytest.mark.slow

RUNS = (
    "mnist-mlp",
    "fashion-cnn-1x100",
    "mnist-third-hasty",
    "fingers-carlosnet-augmented",
    "k49-search",
    "audit-mnist",
    "mnist-first-course",
    "mnist-mlp-fast",
    "ensemble-letters",
    "best-digits",
    "evolved-letters",
)  # one of each notebook
ARRAYS = {"y_true", "y_pred", "logp_pred", "logp_true", "logp_pred_scaled", "logp_true_scaled"}
SEED_FIELDS = {"seed", "epochs", "seconds", "history", "nll", "ece", "temperature", "versions"}
MIRROR = paths.ROOT.parent / "shared" / "data"


def call(module, out, *arguments, **environment):
    """Run one of the two programs; its stdout, after it has ended well."""
    done = subprocess.run(
        [sys.executable, "-m", module, "--profile", "smoke", *arguments],
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "OUT": str(out), **environment},
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def record(out, run):
    return json.loads(
        (out / "report" / "smoke" / "results" / f"{run}.json").read_text(encoding="utf-8")
    )


def predictions(out, run):
    with np.load(
        out / "report" / "smoke" / "results" / f"{run}.npz", allow_pickle=False
    ) as archive:
        return dict(archive)


@pytest.fixture(scope="module")
def edition(tmp_path_factory, stand_ins):
    """The runs and their report, made once from stand-ins: the folder, what the grid said."""
    for name in ("mnist", "fashion_mnist", "fingers", "kuzushiji49"):
        stand_ins(name)
    out = tmp_path_factory.mktemp("edition")
    said = call("grid", out, "--runs", ",".join(RUNS), DATA="stand-in")
    call("report", out, DATA="stand-in")
    return out, said


@pytest.mark.parametrize("run", RUNS)
def test_record_of_every_notebook_is_whole_and_says_stand_in(edition, run):
    out, _ = edition
    content, found = record(out, run), predictions(out, run)
    assert set(results.FIELDS) <= set(content) and content["run"] == run
    assert content["dataset"]["kind"] == "stand-in" and content["dataset"]["label"].startswith(
        "STAND-IN for "
    )
    if run == "audit-mnist":
        assert set(found) == {"y_true", "y_pred", "nearest", "distance", "twin"}
        assert (
            content["seeds"][0]["test_accuracy"] == np.mean(found["y_pred"][0] == found["y_true"])
            and sum(content["extra"]["twins"]) == found["twin"].sum()
        )
        return
    assert set(found) == (ARRAYS | {"y_epochs"} if run.endswith("-course") else ARRAYS)
    for number, seed in enumerate(content["seeds"]):
        assert SEED_FIELDS <= set(seed)
        assert all(
            0 <= seed[f"{part}_accuracy"] <= 1 and seed[f"{part}_loss"] > 0
            for part in ("train", "validation", "test")
        )
        assert seed["test_accuracy"] == np.mean(found["y_pred"][number] == found["y_true"])
    assert content["dataset"]["test"] == len(found["y_true"])
    assert content["figures"] and all(
        (out / entry["path"]).exists() and entry["caption"] for entry in content["figures"]
    )


def test_special_measurements_are_in_their_records(edition):
    out, _ = edition
    augmented = record(out, "fingers-carlosnet-augmented")
    assert set(augmented["seeds"][0]["transformed"]) == {"train", "validation", "test"}
    assert set(augmented["seeds"][0]["single"]) == {
        "flip_horizontal",
        "flip_vertical",
        "rotation",
        "shift",
        "zoom",
    }
    assert 1 / 6 <= augmented["extra"]["chance"] < 0.3 and set(augmented["extra"]["neighbour"]) == {
        "plain",
        "transformed",
    }
    searched = record(out, "k49-search")
    assert {trial["search"] for trial in searched["seeds"][0]["trials"]} == {
        "random search",
        "Hyperband",
    }
    watched = predictions(out, "mnist-first-course")
    assert np.array_equal(watched["y_epochs"][:, -1], watched["y_pred"]), (
        "the last epoch's answers are those of the final weights"
    )
    assert record(out, "mnist-first-course")["seeds"][0]["selection"]["halves"] > 0
    assert (
        record(out, "mnist-third-hasty")["seeds"][0]["test_loss"]
        > record(out, "mnist-third-hasty")["seeds"][0]["nll"]
    ), "its loss holds the penalty"


def test_the_grid_says_what_it_did_and_that_images_are_drawn(edition):
    _, said = edition
    for run in RUNS:
        assert run in said
    assert "STAND-IN" in said and f"All {len(RUNS)} runs done." in said


def test_executed_notebooks_are_kept_with_a_page_each_and_nothing_half_done(edition):
    out, _ = edition
    for run in RUNS:
        notebook = json.loads(
            (out / "report" / "smoke" / "notebooks" / f"{run}.ipynb").read_text(encoding="utf-8")
        )
        assert all(
            cell.get("execution_count") for cell in notebook["cells"] if cell["cell_type"] == "code"
        )
        assert (out / "report" / "smoke" / "notebooks" / f"{run}.html").stat().st_size > 10_000
    left = [
        path
        for path in out.rglob("*")
        if "partial" in path.name or "failed" in path.name or path.name.endswith(".progress.json")
    ]
    assert not left


def test_report_stands_and_nobody_can_take_it_for_real_images(edition):
    out, _ = edition
    page = (out / "report" / "smoke" / "report.html").read_text(encoding="utf-8")
    text = " ".join(
        re.sub(r"(?s)<(style|script).*?</\1>|<[^>]+>", " ", page[page.index("<body") :]).split()
    )
    assert "stand-in images" in text[:400].lower(), "before anything else"
    assert text.count("STAND-IN for") >= 5, "and at every table"
    for run in RUNS:
        assert run in page
    document = (out / "report" / "smoke" / "report.pdf").read_bytes()
    assert (
        document.startswith(b"%PDF-")
        and document.rstrip().endswith(b"%%EOF")
        and len(document) > 50_000
    )


def test_the_reports_claims_follow_altered_records(edition, tmp_path):
    """With wrong answers of the dense network the figures behind its claim are others, on the page
    and in JSON; one short training decides nothing."""
    out, _ = edition
    copied = tmp_path / "out"
    shutil.copytree(out, copied, ignore=shutil.ignore_patterns("*.html", "*.pdf"))
    content, found, memory = (
        record(copied, "mnist-mlp"),
        predictions(copied, "mnist-mlp"),
        predictions(copied, "audit-mnist"),
    )
    truth = found["y_true"]
    found["y_pred"] = ((truth + 1) % 10)[None]
    content["seeds"][0]["test_accuracy"] = float((found["y_pred"] == truth).mean())
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **found)
    stem = copied / "report" / "smoke" / "results" / "mnist-mlp"
    content = {f"{stem}.npz": buffer.getvalue(), f"{stem}.json": files.as_json(content)}
    files.save_all(content, manifest=f"{stem}.sha256")
    call("report", copied, DATA="stand-in")
    page = " ".join(
        (copied / "report" / "smoke" / "report.html").read_text(encoding="utf-8").split()
    )
    judged = json.loads((copied / "report" / "smoke" / "claims.json").read_text(encoding="utf-8"))
    [claim] = [one for one in judged if one["key"] == "mnist-memory"]
    shares = [(answers["y_pred"][0] == truth).mean() for answers in (found, memory)]
    assert (claim["n"], claim["verdict"]) == (1, "cannot be judged here")
    assert claim["difference"] == pytest.approx(shares[0] - shares[1])
    text = re.sub("<[^>]*>", "", page).replace("−", "-")
    assert f"{100 * claim['difference']:+.2f} (one pair)" in text
    low, high = statistics.wilson((found["y_pred"] == truth).sum(), len(truth))
    assert f"{100 * low:.2f} to {100 * high:.2f}" in page, "the interval of the altered accuracy"


def test_a_second_call_reruns_nothing_and_rewrites_nothing(edition):
    out, _ = edition
    kept = {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in (out / "report" / "smoke").rglob("*")
        if path.is_file()
    }
    assert f"All {len(RUNS)} runs of profile smoke are up to date" in call(
        "grid", out, "--runs", ",".join(RUNS), DATA="stand-in"
    )
    assert call("report", out, DATA="stand-in").count("up to date") == 2
    now = {
        path: (path.stat().st_mtime_ns, path.stat().st_size)
        for path in (out / "report" / "smoke").rglob("*")
        if path.is_file()
    }
    assert now == kept


def test_a_fresh_kernel_gives_the_same_record_as_a_forked_one_metric_for_metric(edition, tmp_path):
    out, _ = edition
    # What could differ: random numbers, TensorFlow's threads and the compiled warp, Keras Tuner.
    chosen = ("mnist-mlp", "fingers-carlosnet-augmented", "k49-search")
    arguments = ["--profile", "smoke", "--runs", ",".join(chosen)]
    code = "from grid import __main__, progress; progress._importing = lambda: False; "
    code += f"raise SystemExit(__main__.main({arguments}))"
    places = {"OUT": str(tmp_path), "DATA_DIR": str(aside(tmp_path)), "DATA": "stand-in"}
    environment = {**os.environ, **places}
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, env=environment, check=True)
    for run in chosen:
        assert timeless(record(tmp_path, run)) == timeless(record(out, run)), run
        for name, value in predictions(out, run).items():
            np.testing.assert_array_equal(value, predictions(tmp_path, run)[name])


def timeless(value):
    """A record without what time and place put into it: dates, seconds, speeds, hashes."""
    if isinstance(value, dict):
        return {
            name: timeless(one)
            for name, one in value.items()
            if "second" not in name and name not in ("finished", "hardware")
        }
    return [timeless(one) for one in value] if isinstance(value, list) else value


def aside(folder):
    """A data folder with the session's stand-ins and no trained networks."""
    (folder / "data").mkdir()
    os.symlink(paths.DATA / "stand-in", folder / "data" / "stand-in")
    return folder / "data"


@pytest.mark.skipif(not (MIRROR / "mnist.json").exists(), reason="no mirror beside the repository")
def test_real_images_of_a_mirror_are_named_as_what_they_are(tmp_path):
    chosen = ("mnist-mlp", "k49-tuned")
    said = call(
        "grid",
        tmp_path,
        "--runs",
        ",".join(chosen),
        MIRROR=str(MIRROR),
        DATA="real",
        DATA_DIR=str(tmp_path / "data"),
    )
    assert [record(tmp_path, run)["dataset"]["kind"] for run in chosen] == [
        "official",
        "substitute",
    ]
    assert (
        record(tmp_path, "k49-tuned")["dataset"]["name"] == "kuzushiji_kanji49"
        and "SUBSTITUTE" in said
    )
    for run in chosen:
        content = record(tmp_path, run)
        assert content["seeds"][0]["test_accuracy"] == np.mean(
            predictions(tmp_path, run)["y_pred"][0] == predictions(tmp_path, run)["y_true"]
        )
    call("report", tmp_path, MIRROR=str(MIRROR))
    page = (tmp_path / "report" / "smoke" / "report.html").read_text(encoding="utf-8")
    assert "in place of Kuzushiji-49" in page
    assert "STAND-IN for" not in page
    assert "up to date" in call(
        "grid",
        tmp_path,
        "--runs",
        ",".join(chosen),
        MIRROR=str(MIRROR),
        DATA_DIR=str(tmp_path / "data"),
    )

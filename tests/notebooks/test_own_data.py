"""A data set of one's own, from the example in data/README.md to the report, as it stands there."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from helpers.store import files, paths

pytestmark = pytest.mark.slow
TEXT = (paths.ROOT / "data/README.md").read_text(encoding="utf-8")
EXAMPLE = TEXT.split("## A data set of your own")[1]
PYTHON, YAML, COMMAND = (
    re.search(rf"```{kind}\n(.*?)```", EXAMPLE, re.DOTALL)[1] for kind in ("python", "yaml", "bash")
)
# Runs of the notebooks that need the most images.
OTHERS = {
    "shapes-audit": "06_data_audit",
    "shapes-course": "07_course_protocol",
    "shapes-fast": "08_fast_schedule",
}


def shapes(count, seed):
    """Grey discs and squares, (count, 28, 28) and labels (count,)."""
    rng, (down, across) = np.random.default_rng(seed), np.mgrid[:28, :28]
    labels, images = np.arange(count) % 2, np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels):
        x, y, size = rng.uniform(10, 18), rng.uniform(10, 18), rng.uniform(4, 8)
        disc = (across - x) ** 2 + (down - y) ** 2 < size**2
        square = (abs(across - x) < size) & (abs(down - y) < size)
        image[square if label else disc] = rng.integers(120, 256)
    return images, labels.astype(np.uint8)


@pytest.fixture
def project(tmp_path):
    """A copy of the project, and a function that runs one of its two programs."""
    folder = tmp_path / "project"
    leave = shutil.ignore_patterns("full", "__pycache__", ".*")
    for name in ("helpers", "grid", "report", "notebooks"):
        shutil.copytree(paths.ROOT / name, folder / name, ignore=leave)

    def call(module, *arguments):
        own = {name: str(folder / name.lower()) for name in ("OUT", "DATA_DIR")}
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env={**os.environ, **own, "MIRROR": "my_data", "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return folder, call


def added(folder, entry):
    """Write an entry below `runs:`, the last field of runs.yaml."""
    with (folder / "notebooks/runs.yaml").open("a", encoding="utf-8") as file:
        file.write(f"\n{entry}")


def example(folder, monkeypatch, train, test):
    """What a user does who follows the example with arrays of these sizes."""
    monkeypatch.chdir(folder)
    (x_train, y_train), (x_test, y_test) = shapes(train, 0), shapes(test, 1)
    exec(PYTHON, {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test})
    added(folder, YAML)


def test_the_example_gives_a_run_and_its_report_at_the_first_try(project, monkeypatch):
    folder, call = project
    example(folder, monkeypatch, 120, 40)
    assert COMMAND.strip() == "make all RUNS=shapes-first MIRROR=my_data"
    assert ", Shapes (" in call("grid", "--profile", "quick", "--runs", "shapes-first")
    record = files.load_json(folder / "out/report/quick/results/shapes-first.json")
    data = record["dataset"]
    assert (data["kind"], data["label"]) == ("own", "Shapes")
    assert [data[part] for part in ("train", "validation", "test")] == [96, 24, 40]
    page = (folder / "out/report/quick/notebooks/shapes-first.ipynb").read_text(encoding="utf-8")
    assert "Shapes has fewer images than were asked for: 96 to train on, 24 to validate" in page
    call("report", "--profile", "quick")
    assert "Shapes" in (folder / "out/report/quick/report.html").read_text(encoding="utf-8")


def test_a_dozen_images_are_enough_for_every_kind_of_notebook(project, monkeypatch):
    folder, call = project
    example(folder, monkeypatch, 12, 3)
    for run, notebook in OTHERS.items():
        entry = YAML.replace("shapes-first", run).replace("02_simple_cnn", notebook)
        added(folder, entry)
    call("grid", "--profile", "smoke", "--runs", ",".join(OTHERS))
    call("report", "--profile", "smoke")  # where an audit stands with the audits

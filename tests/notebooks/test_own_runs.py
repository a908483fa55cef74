"""The runs and the report that `make own` copies for a set of one's own."""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers import runs
from helpers.store import paths
from report import words
from report.vocabulary import Words


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The copied list of runs in the place of runs.yaml."""
    text = (paths.NOTEBOOKS / "own.yaml").read_text(encoding="utf-8").replace("SET", "photos")
    (tmp_path / "runs.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(paths, "RUNS", tmp_path / "runs.yaml")
    runs.table.cache_clear()
    yield runs.select()
    runs.table.cache_clear()


@pytest.mark.parametrize("profile", ["smoke", "quick", "full"])
def test_every_run_of_an_own_set_can_be_made(own, profile):
    for run in own:
        values = runs.parameters(run, profile)
        assert values["dataset"] == "photos" and runs.fingerprint(run, values, "")


def test_the_report_speaks_of_these_runs_and_claims_alone(own):
    cells = json.loads((paths.REPORT_SOURCE / "own.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "".join("".join(cell["source"]) for cell in cells).replace("SET", "photos")
    named = set(re.findall(r"\"(photos-[\w-]+)\"", text))
    assert named and named <= set(own)
    keys = {claim["key"] for claim in runs.claims()}
    assert set(re.findall(r"(?:holds|open|fails|difference)\(\"([\w-]+)\"\)", text)) <= keys
    assert not any(cell.get("outputs") for cell in cells)


@pytest.mark.parametrize("name", ["own.ipynb", "report.ipynb"])
def test_guards_and_slots_speak_the_words_that_there_are(name):
    cells = json.loads((paths.REPORT_SOURCE / name).read_text(encoding="utf-8"))["cells"]
    texts = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    said = [words.GUARD.match(text)[2] for text in texts if words.GUARD.match(text)]
    said += [slot for text in texts for slot in words.SLOT.findall(text)]
    spoken = {n for one in said for n in ast.walk(ast.parse(" ".join(one.split()), mode="eval"))}
    named = [node for node in spoken if isinstance(node, ast.Name)]
    own = {node.id for node in named if isinstance(node.ctx, ast.Store)}  # of a comprehension
    spoken = {node.id for node in named} - own
    assert "missing" in spoken and spoken <= set(Words("smoke").names())


@pytest.mark.slow
def test_a_folder_of_pictures_ends_in_a_report(tmp_path):
    rng = np.random.default_rng(0)
    for left, label in ((4, "cat"), (18, "dog")):
        (tmp_path / "from" / label).mkdir(parents=True)
        for number in range(40):
            picture = rng.integers(0, 80, (32, 32), np.uint8)
            picture[:, left : left + 10] += 120
            Image.fromarray(picture).save(tmp_path / "from" / label / f"{number}.png")
    copied = {"RUNS_FILE": "notebooks/own.yaml", "NOTEBOOK": "report/own.ipynb"}
    for place in copied.values():
        text = (paths.ROOT / place).read_text(encoding="utf-8").replace("SET", "photos")
        (tmp_path / Path(place).name).write_text(text, encoding="utf-8")
    own = {name: str(tmp_path / Path(place).name) for name, place in copied.items()}
    own |= {"OUT": str(tmp_path), "DATA_DIR": str(tmp_path / "data")}
    for command in (
        ["helpers.datasets", "photos", tmp_path / "from", "--size", "32"],
        ["grid", "--profile", "smoke", "--runs", "photos-audit,photos-cnn,photos-how-many"],
        ["report", "--profile", "smoke"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=paths.ROOT,
            capture_output=True,
            text=True,
            env={**os.environ, **own},
            timeout=600,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "report/smoke/report.html").read_text(encoding="utf-8")
    for shown in ("tbl-data", "tbl-audit", "tbl-evidence", "photos-audit-samples"):
        assert f'id="{shown}"' in page or f'id="fig-{shown}"' in page, shown
    assert "3 of 6 runs have no record" in page and "What to do next" in page

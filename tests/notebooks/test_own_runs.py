"""The runs and the report that `make own` copies for a set of one's own."""

import ast
import json
import re

import pytest

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
    spoken = {node.id for node in spoken if isinstance(node, ast.Name)}
    assert "missing" in spoken and spoken <= set(Words("smoke").names())

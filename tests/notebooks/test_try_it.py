"""Notebook 12, executed without a browser: on networks that come with the repository, and on one
that was trained a moment ago, whose training images are at hand."""

import json
import os
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from PIL import Image

from helpers.store import paths

pytestmark = pytest.mark.slow
NOTEBOOK = paths.NOTEBOOKS / "12_try_it.ipynb"


def executed(folder, *given, **parameters):
    """Texts of the notebook's outputs, after papermill has executed it on stand-ins."""
    options = [word for name, value in parameters.items() for word in ("-p", name, str(value))]
    command = ["papermill", str(NOTEBOOK), str(folder / "done.ipynb"), "--no-progress-bar"]
    call([*command, *options], folder)
    cells = nbformat.read(folder / "done.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return [output.get("text") or output["data"]["text/plain"] for output in outputs]


def call(arguments, folder):
    own = {"OUT": str(folder / "out"), "DATA": "stand-in", "PYTHONPATH": str(paths.ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env={**os.environ, **own},
        cwd=paths.ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_carried_networks_answer_where_no_training_images_are(tmp_path):
    texts = executed(tmp_path, ask="fashion-cnn-2x50", example=1)
    assert "Without the training images nothing is compared with them." in "".join(texts)
    assert any("this is: Trouser" in text for text in texts)
    assert any(text.startswith("Trouser: ") and "%" in text for text in texts)
    assert any("cannot be drawn with one pen" in text for text in texts)


def test_a_photograph_is_read_and_a_network_of_ones_own_has_its_training_images(
    tmp_path, stand_ins
):
    stand_ins("mnist")
    call(["grid", "--profile", "smoke", "--runs", "mnist-mlp"], tmp_path)
    photo = np.full((300, 260), 220, np.uint8)
    photo[60:240, 120:140] = 40
    Image.fromarray(photo).save(tmp_path / "one.png")
    texts = executed(tmp_path, ask="mnist-mlp", photo=tmp_path / "one.png", compared=50)
    record = json.loads((tmp_path / "out/report/smoke/results/mnist-mlp.json").read_text())
    assert f"training images: {record['dataset']['train']}\n" in "".join(texts)
    answers = [text for text in texts if "Its nearest training image is" in text]
    assert len(answers) == 2, "of a test image and of the photograph"
    assert any(text.startswith("HBox(children=(<helpers.predict.drawing.Pad") for text in texts)
    (kept,) = [line for text in texts for line in text.split("\n") if line.startswith("cut out: ")]
    with Image.open(kept.removeprefix("cut out: ")) as both:
        assert both.height == 280

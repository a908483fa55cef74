"""A drawing made like the images of a data set, and a photograph found, cut out and read."""

import json
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from helpers import models, predict, results
from helpers.predict import networks, pictures
from helpers.store import files, paths
from helpers.store.paths import ROOT, UserError

VECTORS = json.loads((ROOT / "tests/helpers/prepared.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", VECTORS, ids=lambda case: case["name"])
def test_python_prepares_the_drawings_that_the_page_of_the_report_prepares_too(case):
    for rule, wanted in case["prepared"].items():
        for drawing in (np.array(case["drawing"], np.uint8), np.array(case["drawing"]) / 255):
            made = predict.prepare(drawing, rule)
            assert made.dtype == np.uint8
            # another order of summing may round the other way
            assert np.abs(made.astype(int) - wanted).max() <= 1


def test_a_picture_has_the_size_and_the_place_of_its_data_set():
    drawing = np.zeros((300, 200))
    drawing[30:190, 20:120] = 1
    for rule, (rows, columns, top, left) in {
        "mass": (20, 13, 5, 8),
        "box": (24, 15, 2, 6),
        "fill": (28, 18, 0, 5),
    }.items():
        made = predict.prepare(drawing, rule)
        there = np.argwhere(made)
        assert there.min(axis=0).tolist() == [top, left]
        assert (there.max(axis=0) - there.min(axis=0) + 1).tolist() == [rows, columns]
        assert made.max() == 255


@pytest.mark.parametrize("drawing, rule", [(np.ones((9, 9)), "middle"), (np.ones(9), "mass")])
def test_another_rule_or_shape_is_refused_in_one_line(drawing, rule):
    with pytest.raises(UserError, match="give one of mass, box, fill and an array"):
        predict.prepare(drawing, rule)


def photograph(text, seed, font="DejaVuSans.ttf"):
    """A character on paper: turned, under a lamp and a shadow, blurred, noisy, in some grey."""
    rng, (height, width) = np.random.default_rng(seed), (480, 360)
    at = Path(matplotlib.get_data_path()) / "fonts/ttf" / font
    ink = Image.new("L", (width, height))
    where = rng.uniform(110, 250), rng.uniform(160, 320)
    ImageDraw.Draw(ink).text(where, text, 255, ImageFont.truetype(at, 150), anchor="mm")
    ink = np.asarray(ink.rotate(rng.uniform(-6, 6), Image.Resampling.BICUBIC)) / 255
    down, across = np.mgrid[:height, :width] / height
    light = 1 - 0.4 * across - 0.25 / (1 + np.exp(-60 * (down - across * rng.uniform(0.5, 1))))
    paper = rng.uniform(190, 245) + rng.normal(0, 3, (height, width))
    grey = ndimage.gaussian_filter((paper * (1 - ink) + 60 * ink) * light, 1.2)
    return (grey + rng.normal(0, 4, grey.shape)).clip(0, 255).astype(np.uint8), ink


@pytest.mark.parametrize("text", list("0123456789AEK"))
def test_a_character_is_found_on_paper_under_uneven_light(text):
    photo, ink = photograph(text, ord(text))
    found = predict.prepare(predict.find(photo), "mass").ravel() / 255
    wanted = predict.prepare(ink, "mass").ravel() / 255
    likeness = found @ wanted / np.sqrt((found @ found) * (wanted @ wanted))
    assert likeness > 0.75  # the pen is thicker, the place may differ by a pixel


def test_what_reaches_the_edge_is_not_the_character():
    photo, _ = photograph("3", 3)
    alone = predict.find(photo).shape
    photo[-60:] = 10
    photo[:, :40] = 10
    assert np.allclose(predict.find(photo).shape, alone, atol=8)


@pytest.mark.parametrize("paper", [np.full((200, 200), 220), photograph(" ", 1)[0]])
def test_blank_paper_holds_no_character(paper):
    with pytest.raises(UserError, match="no dark character"):
        predict.find(paper)


def test_a_thin_pen_is_thickened_to_that_of_the_data():
    line = np.zeros((100, 60))
    line[5:95, 30] = 1
    assert (pictures._thickened(line).max(axis=0) > 0).sum() >= 9


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """The networks that the full edition carries, and a folder for what is made."""
    monkeypatch.setattr(paths, "OUT", ROOT)
    monkeypatch.setattr(paths, "figures", lambda profile, run: tmp_path / run)
    return tmp_path


def test_photographs_are_read_and_what_the_network_saw_is_kept(carried, capsys):
    right = 0
    for digit in "0123456789":
        path = carried / f"photo-{digit}.png"
        Image.fromarray(photograph(digit, 50 + int(digit))[0]).save(path)
        told = predict.image(path, "mnist-second-v1")
        right += told["answer"] == digit
    assert right >= 9
    assert sum(told["probabilities"].values()) == pytest.approx(1)
    assert told["probability"] == max(told["probabilities"].values())
    with Image.open(told["seen"]) as seen:
        picture = np.asarray(seen)[:, -280:][5::10, 5::10]
    assert (picture == predict.prepare(predict.find(photograph("9", 59)[0]), "mass")).all()
    assert predict.main(["mnist-second-v1", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == told
    assert predict.main(["mnist-second-v1", str(path)]) == 0
    assert f"{path}: {told['answer']} (" in capsys.readouterr().out


@pytest.mark.parametrize(
    "run, file, words",
    [
        ("mnist-second-v1", "README.md", "is no JPEG"),
        ("mnist-second-v1", "nowhere.jpg", "cannot be read"),
        ("mnist-fourth", "README.md", "Run mnist-fourth has no trained network"),
        ("best-digits", "README.md", "its notebook builds networks that helpers/models.py has not"),
        ("fashion-dense", "README.md", "predict reads characters"),
    ],
)
def test_what_cannot_be_read_is_an_error_of_one_line(carried, capsys, run, file, words):
    assert predict.main([run, str(ROOT / file)]) == 2
    assert words in capsys.readouterr().err.splitlines()[0]


def test_kept_weights_count_only_where_they_are_those_of_the_record(carried, monkeypatch):
    monkeypatch.setattr(paths, "DATA", carried)
    stem = paths.trained("full", "mnist-first-course") / "seed-0"
    weights = files.npz(*models.mnist_first((28, 28, 1), 10).get_weights())

    def keep(history):
        record = files.as_json({"history": history})
        written = {stem.with_suffix(".weights.npz"): weights, stem.with_suffix(".json"): record}
        files.save_all(written, manifest=stem.with_suffix(".sha256"))

    keep(results.load("full", "mnist-first-course")["seeds"][0]["history"])
    model, record, seed = predict.trained("mnist-first-course")
    assert model.count_params() == 54_410 and seed == record["seeds"][0]
    keep({})
    told = "has no trained network: `make all (FORCE=1 )?RUNS=mnist-first-c"  # after a `make all`
    with pytest.raises(UserError, match=told):
        predict.trained("mnist-first-course")
    with pytest.raises(UserError, match="make all PROFILE=full FORCE=1 RUNS=mnist-first-course`"):
        predict.trained("mnist-first-course", ["full"], shipped=False)


def test_a_carried_network_is_found_wherever_results_are_written(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "OUT", tmp_path)
    assert predict.carried() == sorted(p.stem for p in (networks.FULL / "models").glob("*.keras"))
    model, record, seed = predict.trained("mnist-second-v1")
    assert model.count_params() == record["parameter_count"] and seed in record["seeds"]
    images, labels = predict.examples(record)
    assert images.shape == (20, 28, 28) and labels[:10].tolist() == list(range(10))
    soft = predict.softened(model, seed["temperature"]).predict(images[..., None], verbose=0)
    plain = model.predict(images[..., None], verbose=0)
    assert (soft.argmax(axis=1) == plain.argmax(axis=1)).all() and soft.max() < plain.max()


def test_a_damaged_carried_network_is_named(monkeypatch, tmp_path):
    for name in ("mnist-first.keras", "models.json", "models.sha256"):
        files.save_bytes(tmp_path / "models" / name, (networks.FULL / "models" / name).read_bytes())
    monkeypatch.setattr(networks, "FULL", tmp_path)
    with pytest.raises(UserError, match="mnist-first.*is damaged: `git checkout` brings it back"):
        predict.trained("mnist-first")


@pytest.mark.parametrize("text", list("0468AB"))
def test_chalk_on_a_board_is_read_as_well_and_said_to_be(text):
    photo, ink = photograph(text, ord(text))
    cut, notes = predict.search(255 - photo)
    made, wanted = (predict.prepare(each, "mass").ravel() / 255 for each in (cut, ink))
    assert made @ wanted / np.sqrt((made @ made) * (wanted @ wanted)) > 0.75
    assert notes == ["light on dark: it is read as chalk on a board."]
    assert predict.search(photo)[1] == []


def test_a_second_character_beside_the_one_that_is_taken_is_mentioned(carried, capsys):
    both = np.hstack([photograph("3", 3)[0], photograph("7", 7)[0]])
    Image.fromarray(both).save(carried / "two.png")
    assert predict.main(["mnist-second-v1", str(carried / "two.png")]) == 0
    assert "more of the same stands apart: take one character" in capsys.readouterr().out


def test_the_pad_of_the_notebook_is_that_of_the_page_and_its_pixels_become_an_image():
    from helpers.predict import drawing
    from report import typeset

    shared = typeset.PAD.read_text(encoding="utf-8")
    assert shared in drawing.Pad._esm and typeset.PAD in typeset.SCRIPTS[typeset.TRY]
    assert f"const PAD = {drawing.PAD};" in shared
    drawn, seen = Image.new("L", (drawing.PAD, drawing.PAD)), []
    ImageDraw.Draw(drawn).line([(200, 40), (140, 250)], 255, 30)
    pad, _ = drawing.beside("mass", seen.append).children
    pad.pixels = memoryview(drawn.tobytes())
    pad.pixels = None  # cleared
    assert len(seen) == 1
    np.testing.assert_array_equal(seen[0], predict.prepare(np.asarray(drawn), "mass"))


def test_an_answer_tells_its_classes_and_when_nothing_like_it_was_learnt():
    picture, shares = np.zeros((28, 28), np.uint8), np.array([0.2, 0.7, 0.1])
    answer = predict.Answer(picture, ["a", "<b>", "c"], shares)
    assert repr(answer) == "<b>: 70.0 %, a: 20.0 %, c: 10.0 %." and "<td><b>" not in str(
        answer._repr_html_()
    )
    answer.near, answer.farther = [(picture, "a", 0.2)], 0.005
    assert "Nothing like this was learnt." in repr(answer)
    answer.farther = 0.5
    assert "Nothing" not in repr(answer) and "50.0 % of the test images" in repr(answer)

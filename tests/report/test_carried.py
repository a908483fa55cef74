"""The trained networks that the full edition carries are those of its records, and the page's
weights are theirs, rounded. No network is loaded for that."""

import base64
import json
import zipfile

import numpy as np
import pytest

from helpers import predict
from helpers.store import files, paths
from report import carried

FOLDER = paths.ROOT / "report/full/models"
MODELS = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
PAGE = json.loads((FOLDER / "page.json").read_text(encoding="utf-8"))
RUNS = [*(run for _, _, _, runs in carried.SETS for run in runs), *carried.ALONE]
each_run = pytest.mark.parametrize("run", RUNS)


def record(run):
    path = paths.ROOT / f"report/full/results/{run}.json"
    return json.loads(path.read_text(encoding="utf-8"))


def seed(run):
    number = MODELS["networks"][run]["seed"]
    return next(each for each in record(run)["seeds"] if each["seed"] == number)


def test_a_file_and_a_card_for_each_network_and_nothing_else_small_and_unharmed():
    assert files.harmed(FOLDER / "models.sha256") == []
    known = {f"{run}.{kind}" for run in RUNS for kind in ("keras", "md")}
    known |= {"models.sha256", "models.json", "page.json", "answers.json"}
    assert {path.name for path in FOLDER.iterdir()} == known
    assert sum(path.stat().st_size for path in FOLDER.glob("*.keras")) < 10e6
    assert (FOLDER / "page.json").stat().st_size < 2e6, "what the report grows by"


@each_run
def test_a_network_is_as_good_as_its_record_says(run):
    found = MODELS["networks"][run]
    assert found["accuracy"] == seed(run)["test_accuracy"]
    if run in PAGE["networks"]:
        shown = PAGE["networks"][run]
        assert shown["temperature"] == pytest.approx(seed(run)["temperature"], abs=1e-4)
        assert shown["accuracy"] == found["rounded"]
        assert shown["parameters"] == record(run)["parameter_count"]


def test_rounding_costs_next_to_nothing_and_preparing_a_digit_again_less_than_half_a_point():
    networks, lost = MODELS["networks"], MODELS["lost"]
    assert lost == carried.lost(networks) and lost["rounded"] < 0.001
    assert lost["redrawn"]["Digits"] < 0.005 and set(lost["redrawn"]) == {"Digits", "Letters"}
    for run in PAGE["sets"][0]["networks"]:
        found = networks[run]
        assert all(found["rounded"] - each < 0.005 for each in found["redrawn"].values())


def stored(run):
    """The weights in a .keras file, in the order of its layers."""
    import h5py

    with zipfile.ZipFile(FOLDER / f"{run}.keras") as archive:
        layers = json.loads(archive.read("config.json"))["config"]["layers"]
        with archive.open("model.weights.h5") as content, h5py.File(content) as held:
            counted, arrays = {}, []
            for layer in layers:
                kind = {"Conv2D": "conv2d", "Dense": "dense"}.get(layer["class_name"])
                if kind:
                    place = counted[kind] = counted.get(kind, -1) + 1
                    name = f"layers/{kind}_{place}" if place else f"layers/{kind}"
                    arrays += [held[f"{name}/vars/{k}"][()] for k in (0, 1)]
            return arrays


@pytest.mark.parametrize("run", PAGE["networks"])
def test_the_weights_of_the_page_are_those_of_the_file_rounded(run):
    shown, arrays = PAGE["networks"][run], stored(run)
    weights = np.frombuffer(base64.b64decode(shown["weights"]), "<f2")
    assert [array.size for array in arrays] == [
        n for each in shown["layers"] for n in each["counts"]
    ]
    assert np.array_equal(
        weights, np.concatenate([array.ravel() for array in arrays]).astype("<f2")
    )


@each_run
def test_a_card_tells_the_data_the_accuracy_the_calibration_and_the_failures(run):
    text, held = (FOLDER / f"{run}.md").read_text(encoding="utf-8"), record(run)
    assert f"{100 * seed(run)['test_accuracy']:.2f} %" in text
    assert held["dataset"]["kind"] in text and held["dataset"]["licence"] in text
    for row in ("Over seeds", "Calibration", "Images shifted", "Worst", "Taken for each other"):
        assert f"\n| {row} | " in text, row


def test_the_page_shows_each_class_first_and_then_images_on_which_networks_disagree():
    labels = np.array([1, 0, 1, 0, 2, 0])
    one, other = np.eye(3)[[1, 0, 1, 1, 2, 0]], np.eye(3)[[1, 0, 1, 0, 2, 2]]
    assert carried.examples(labels, {"a": one, "b": other}) == [1, 0, 4, 3, 5]
    assert carried.examples(labels, {"a": other}) == [1, 0, 4, 5], "one network against the truth"


@pytest.mark.parametrize("each", PAGE["sets"], ids=lambda each: each["title"])
def test_an_image_of_the_page_is_one_of_the_data_set_and_every_class_is_there(each):
    images = np.frombuffer(base64.b64decode(each["images"]), "uint8").reshape(-1, 28, 28)
    assert len(images) == len(each["labels"])
    assert set(each["labels"]) == set(range(len(each["classes"])))
    assert each["data"] == record(each["networks"][0])["dataset"]["label"]
    for image in images if each["rule"] == "mass" else ():  # ten times as large, and prepared
        again = predict.prepare(np.kron(image, np.ones((10, 10))), "mass")
        assert np.corrcoef(again.ravel(), image.ravel())[0, 1] > 0.99


def test_an_edition_without_networks_says_nothing_of_them():
    assert carried.measured("smoke") == {}

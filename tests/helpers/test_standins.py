"""The stand-ins: right in form, the same every time, and told apart by what they show."""

import hashlib
import string
import subprocess
import sys

import numpy as np
import pytest

from helpers.datasets import standins
from helpers.datasets.catalogue import SETS
from helpers.datasets.standins import characters, drawing
from helpers.store.paths import ROOT

CLASSES = {
    "mnist": 10,
    "fashion_mnist": 10,
    "emnist_letters": 26,
    "emnist_balanced": 47,
    "emnist_bymerge": 47,
    "kuzushiji49": 49,
    "fingers": 6,
}
NAMES = tuple(CLASSES)
TRAIN, TEST = 150, 100


@pytest.fixture(scope="module")
def drawn():
    return {name: standins.draw(name, (TRAIN, TEST)) for name in NAMES}


@pytest.mark.parametrize("name, classes", list(CLASSES.items()))
def test_arrays_have_the_shapes_and_types_of_the_data_set(drawn, name, classes):
    arrays = drawn[name]
    side = 128 if name == "fingers" else 28
    keys = {"x_train", "y_train", "x_test", "y_test"} | (
        {"hand_train", "hand_test"} if name == "fingers" else set()
    )
    assert set(arrays) == keys
    assert {array.dtype for array in arrays.values()} == {np.dtype("uint8")}
    assert all(array.flags.c_contiguous for array in arrays.values())
    for part, n in (("train", TRAIN), ("test", TEST)):
        assert arrays[f"x_{part}"].shape == (n, side, side)
        assert arrays[f"y_{part}"].shape == (n,)
    assert len(SETS[name].class_names) == classes


@pytest.mark.parametrize("name", NAMES)
def test_every_class_is_there_and_as_often_as_the_next(drawn, name):
    for part in ("train", "test"):
        counts = np.bincount(drawn[name][f"y_{part}"])
        assert len(counts) == CLASSES[name] and counts.min() >= 1
        assert np.ptp(counts) <= (2 if name == "fingers" else 1)


def test_labels_are_in_no_order(drawn):
    assert all(np.any(np.diff(drawn[name]["y_train"][:50].astype(int)) < 0) for name in NAMES)


def test_each_count_of_fingers_is_shown_by_both_hands(drawn):
    pairs = set(zip(drawn["fingers"]["y_test"].tolist(), drawn["fingers"]["hand_test"].tolist()))
    assert pairs == {(count, hand) for count in range(6) for hand in (0, 1)}


@pytest.mark.parametrize("name", NAMES)
def test_no_image_is_drawn_twice(drawn, name):
    images = np.concatenate([drawn[name]["x_train"], drawn[name]["x_test"]])
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == TRAIN + TEST


@pytest.mark.parametrize("name", [name for name in NAMES if name != "fingers"])
def test_light_stands_on_black_and_inside_the_picture(drawn, name):
    images = drawn[name]["x_train"]
    assert images.max(axis=(1, 2)).min() > 80, "something shows on every image"
    assert np.median(images) < 10 and 15 < images.mean() < 100
    border = np.concatenate([images[:, 0], images[:, -1]])
    assert border.mean() < 0.4 * images.mean(), (
        "what is drawn is not cut off at the top and the bottom"
    )


def test_hands_are_brighter_than_their_ground_and_centred(drawn):
    images = drawn["fingers"]["x_train"]
    assert 40 < np.median(images) < 75 and images[:, :8].mean() < 75
    for image in images:
        rows, columns = np.nonzero(image > 110)
        assert (
            abs((rows.min() + rows.max()) / 2 - 63.5) < 14
            and abs((columns.min() + columns.max()) / 2 - 63.5) < 14
        )


def test_more_fingers_cover_more_of_the_picture(drawn):
    images, counts = drawn["fingers"]["x_train"], drawn["fingers"]["y_train"]
    area = [np.mean(images[counts == count] > 110) for count in range(6)]
    assert area[0] < area[2] < area[5]


def test_the_thumb_of_a_left_palm_points_left(drawn):
    arrays = drawn["fingers"]
    five = arrays["y_train"] == 5
    for image, right in zip(arrays["x_train"][five], arrays["hand_train"][five]):
        columns = np.nonzero(image > 110)[1]
        heavy_side = (
            columns.mean() - (columns.min() + columns.max()) / 2
        )  # away from the stretched thumb
        assert heavy_side < 0 if right else heavy_side > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_same_name_and_sizes_give_the_same_images(drawn, name):
    again = standins.draw(name, (TRAIN, TEST))
    assert all(np.array_equal(again[key], drawn[name][key]) for key in drawn[name])


def test_another_process_draws_the_same_images(drawn):
    code = (
        "import hashlib; from helpers.datasets import standins; "
        f"images = standins.draw('kuzushiji49', ({TRAIN}, {TEST}))['x_train']; "
        "print(hashlib.sha256(images).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert told.strip() == hashlib.sha256(drawn["kuzushiji49"]["x_train"]).hexdigest()


def test_the_caller_s_random_state_is_left_alone():
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    standins.draw("mnist", (10, 10))
    assert np.array_equal(np.random.get_state()[1], before)


def test_the_two_47_class_sets_differ(drawn):
    assert not np.array_equal(
        drawn["emnist_balanced"]["x_train"], drawn["emnist_bymerge"]["x_train"]
    )


@pytest.mark.parametrize("name", ["mnist", "emnist_letters", "kuzushiji49", "fashion_mnist"])
def test_images_of_a_class_resemble_each_other_more_than_chance(name):
    arrays = standins.draw(name, (1000, 200))
    train, test = (
        arrays[key].reshape(len(arrays[key]), -1).astype("float32") for key in ("x_train", "x_test")
    )
    distance = (train**2).sum(1) - 2 * test @ train.T
    nearest = arrays["y_train"][distance.argmin(1)]
    assert np.mean(nearest == arrays["y_test"]) > 5 / CLASSES[name]


def test_small_letters_stand_for_their_capitals_only_where_they_have_no_class_of_their_own():
    classes = SETS["emnist_balanced"].class_names
    letters = dict(zip(classes, map(set, characters.forms(classes))))
    assert (letters["C"], letters["0"]) == ({"C", "c"}, {"0"})
    assert (letters["A"], letters["a"]) == ({"A"}, {"a"})
    assert set().union(*letters.values()) == set(string.digits + string.ascii_letters)


def test_hiragana_stand_in_the_order_of_kuzushiji_49():
    names = SETS["kuzushiji49"].class_names
    assert (
        names[:5] == list("あいうえお")
        and names[-5:] == list("ゐゑをんゝ")
        and names[28:31] == list("へほま")
    )


@pytest.mark.parametrize("name", ["cifar10", "kuzushiji_kanji49", "shapes"])
def test_what_cannot_be_drawn_is_known(name):
    assert not standins.known(name)
    assert all(map(standins.known, NAMES))


def still():
    limits = dict(rotation=0, shear=0, scale=(1, 1), stretch=(1, 1), shift=0, bend=0)
    return drawing.warp(np.random.default_rng(0), **limits)


def test_without_any_warp_each_point_stays_where_it_is():
    points = np.array([(0.0, 1), (-7, 3), (2.5, -9)])
    assert np.allclose(still()(points), points)


def test_a_line_and_a_polygon_cover_what_they_should():
    line = drawing.painted([(1, 2, [(-5, 0), (5, 0)])], 28, still())
    assert (line[13:15, 8:20] == 1).all() and not line[:11].any() and not line[:, :6].any()
    square = drawing.painted([(0.6, 0, [(-4, -4), (6, -4), (6, 4), (-4, 4)])], 28, still())
    assert np.allclose(square[11:17, 11:19], 0.6) and not square[:, :9].any()
    assert 78 < square.sum() / 0.6 < 90, "of eighty pixels"


def test_a_warp_turns_moves_and_resizes_within_its_limits():
    rng, corner = np.random.default_rng(0), [(10, 0)]
    limits = dict(rotation=20, shear=0, scale=(0.5, 1), stretch=(1, 1), shift=2, bend=0)
    for _ in range(100):
        moved = drawing.warp(rng, **limits)
        (x, y), (dx, dy) = moved(corner)[0] - moved([(0, 0)])[0], moved([(0, 0)])[0]
        assert 5 <= np.hypot(x, y) <= 10 and abs(np.degrees(np.arctan2(y, x))) <= 20
        assert max(abs(dx), abs(dy)) <= 2

"""The data audit: copies, neighbours and doubted labels are found where the test put them."""

import hashlib

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from helpers import audit, evaluation
from helpers.evaluation import reduced


def images(n, seed=0, side=28):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 1), dtype="uint8")


def test_copies_are_counted_within_and_across_parts_and_under_other_labels():
    train, test = images(6), images(4, seed=1)
    train[3], test[0], test[1], test[2] = train[0], train[1], train[0], train[1]
    counts = audit.duplicates(train, [0, 1, 2, 0, 1, 2], test, [1, 2, 1, 0])
    assert counts == {
        "train": 1,
        "test": 1,
        "across": 3,
        "conflicting": 1,
    }  # the picture of train[0] is a 0 here and a 2 there


def test_no_copies_where_every_image_is_another():
    assert set(audit.duplicates(images(5), range(5), images(5, seed=1), range(5)).values()) == {0}


def test_one_changed_pixel_is_no_copy_but_a_near_twin():
    train = images(5)
    test = train[2:3].copy()
    test[0, 4, 4] ^= 1
    index, distance = audit.neighbours(train, test, 14)
    assert (
        audit.duplicates(train, range(5), test, [2])["across"] == 0
        and index.tolist() == [2]
        and 0 < distance[0] < 0.001
    )


def test_an_image_is_found_again_by_its_fingerprint_however_it_is_shaped():
    image = images(1)[0]
    assert (
        audit.fingerprint(image)
        == audit.fingerprint(image[..., 0])
        == hashlib.sha256(image.tobytes()).hexdigest()[:16]
        != audit.fingerprint(image[::-1])
    )


@pytest.mark.parametrize("side", [28, 128])
def test_nearest_neighbour_and_distance_agree_with_scipy(side):
    train, test = images(40, side=side), images(7, seed=1, side=side)
    index, distance = audit.neighbours(train, test, 14)
    apart = cdist(reduced(test, 14).astype("float64"), reduced(train, 14).astype("float64"))
    assert index.tolist() == apart.argmin(axis=1).tolist()
    assert distance == pytest.approx(apart.min(axis=1) / np.sqrt(14 * 14), rel=1e-5)


def test_distance_is_a_share_of_the_pixel_range():
    black, white = np.zeros((1, 28, 28, 1), "uint8"), np.full((1, 28, 28, 1), 255, "uint8")
    assert audit.neighbours(black, white, 14)[1][0] == pytest.approx(1)


def test_images_are_averaged_down_by_a_whole_factor():
    image = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1) * 10
    assert reduced(image, 2) == pytest.approx(np.array([[25, 45, 105, 125]]) / 255)


def test_few_shot_accuracy_rises_with_the_images_a_class_and_uses_no_more_than_it_says(monkeypatch):
    rng = np.random.default_rng(0)
    centres = rng.integers(60, 200, (4, 28, 28, 1))
    labels, truth = np.arange(400) % 4, np.arange(80) % 4
    train, test = (
        np.clip(centres[y] + rng.normal(0, 250, (len(y), 28, 28, 1)), 0, 255).astype("uint8")
        for y in (labels, truth)
    )
    used = []
    monkeypatch.setattr(
        audit,
        "nearest",
        lambda known, asked: used.append(len(known)) or evaluation.nearest(known, asked),
    )
    found = audit.few_shot(train, labels, test, truth, 14, shots=(1, 20, 500), draws=3)
    assert used == [4, 80, 400] * 3, "a class with fewer images gives all it has"
    means = [np.mean(found[shots]) for shots in (1, 20, 500)]
    assert means[0] < means[1] < means[2] and len(set(found[500])) == 1


def test_folds_cover_every_image_once_and_each_class_evenly():
    labels = np.repeat([0, 1, 2], [50, 23, 7])
    fold = audit.folds(labels, 5, seed=0)
    for label in range(3):
        counts = np.bincount(fold[labels == label], minlength=5)
        assert counts.max() - counts.min() <= 1
    assert (fold != audit.folds(labels, 5, seed=1)).any() and (
        fold == audit.folds(labels, 5, seed=0)
    ).all()


def test_a_network_never_learns_from_the_images_that_it_judges():
    x, y = images(30), np.arange(30, dtype="uint8") % 3
    fold = audit.folds(y, 3, seed=0)
    seen = [audit.held_out(x, y, fold, number, "data") for number in range(3)]
    for number, part in enumerate(seen):
        assert (
            (part.x_validation == x[fold == number]).all()
            and (part.x_train == x[fold != number]).all()
            and len(part.y_test) == 0
        )
    assert len({part.identity for part in seen}) == 3, "a cache must not take one fold for another"
    assert seen[0].identity != audit.held_out(x, y, audit.folds(y, 3, seed=1), 0, "data").identity


def test_a_label_is_doubted_only_where_every_repeat_is_sure_of_the_same_other_class():
    labels = np.array([0, 0, 0, 0, 0])
    answers = np.array([[1, 1, 1, 0, 2], [1, 2, 1, 0, 2]])
    sure = np.array([[0.99, 0.99, 0.99, 0.99, 0.95], [0.97, 0.99, 0.60, 0.99, 0.99]])
    assert audit.doubted(labels, answers, sure, 0.9).tolist() == [0, 4], (
        "the surest first, by the least sure repeat"
    )
    assert audit.doubted(labels, answers, sure, 0.999).tolist() == []


def test_planted_wrong_labels_are_doubted(parts):
    """End to end on images whose class a network learns in a moment: what was mislabelled is what
    is doubted."""
    from test_training import network

    from helpers import training
    from helpers.store.backend import keras

    x, y = (
        np.concatenate([parts.x_train, parts.x_test]),
        np.concatenate([parts.y_train, parts.y_test]).copy(),
    )
    planted = np.arange(0, len(y), 24)
    y[planted] = (y[planted] + 1) % 4
    answers, sure = np.empty((2, len(y)), int), np.empty((2, len(y)))
    for repeat in range(2):
        fold = audit.folds(y, 2, repeat)
        for number in range(2):
            keras.utils.set_random_seed(repeat)
            model = network()
            model.compile(
                optimizer=training.optimizer("adam", 0.02),
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
            )
            part = audit.held_out(x, y, fold, number, "planted")
            training.fit(model, part, seed=repeat, batch_size=8, epochs=30)
            logp = evaluation.log_probabilities(model, part.x_validation)
            answers[repeat, fold == number], sure[repeat, fold == number] = (
                logp.argmax(axis=1),
                np.exp(logp.max(axis=1)),
            )
    found = set(audit.doubted(y, answers, sure, 0.5).tolist())
    assert (
        found
        and len(found & set(planted.tolist())) >= 0.6 * len(planted)
        and len(found & set(planted.tolist())) >= 0.6 * len(found)
    )

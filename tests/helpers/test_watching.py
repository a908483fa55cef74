"""Training with the test images watched: the split, another dropout rate, and the answers of every
epoch, kept through the cache."""

import json
from dataclasses import replace

import numpy as np
import pytest
from test_training import compiled, network

from helpers import batches, training, watching
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.paths import UserError


def test_all_training_images_are_learnt_from_and_the_test_images_stand_in_both_places(tiny):
    parts = watching.split(tiny)
    assert parts.sizes == {"train": 120, "validation": 40, "test": 40}
    np.testing.assert_array_equal(parts.x_validation, parts.x_test)
    np.testing.assert_array_equal(parts.x_train[..., 0], tiny.x_train)
    assert parts.identity != batches.split(tiny).identity


def test_smaller_sizes_take_stratified_parts_and_the_test_images_of_every_other_run(tiny):
    parts = watching.split(tiny, train_images=40, test_images=20)
    assert np.bincount(parts.y_train).tolist() == [10] * 4
    np.testing.assert_array_equal(
        parts.x_test, batches.split(tiny, validation_images=40, test_images=20).x_test
    )
    assert parts.identity != watching.split(tiny, train_images=44, test_images=20).identity


def test_more_images_than_there_are_or_fewer_than_classes_are_refused(tiny):
    with pytest.raises(UserError, match="120 training images, fewer than 121: ask for fewer"):
        watching.split(tiny, train_images=121)
    with pytest.raises(UserError, match="4 classes, and 3 training images cannot show all"):
        watching.split(tiny, train_images=3)


def test_with_a_set_of_ones_own_all_are_taken_where_more_were_asked_for(tiny, capsys):
    own = replace(tiny, name="columns")
    for images in (121, 400, 8000):
        assert watching.split(own, train_images=images, test_images=4000).sizes["train"] == 120
        assert f"has 120 training images, fewer than {images:,}.\n" in capsys.readouterr().out
    assert watching.split(own).identity == watching.split(tiny).identity
    assert not capsys.readouterr().out


def test_another_dropout_rate_leaves_the_rest_of_the_network_and_its_initial_weights():
    model = network(dropout=0.5)
    changed = watching.with_dropout(model, 0.25)
    rates = [layer.rate for layer in changed.layers if isinstance(layer, keras.layers.Dropout)]
    assert rates == [0.25] and [layer.name for layer in changed.layers] == [
        layer.name for layer in model.layers
    ]
    for mine, theirs in zip(changed.get_weights(), model.get_weights()):
        np.testing.assert_array_equal(mine, theirs)
    assert watching.with_dropout(model, -1.0) is model


def test_a_network_without_dropout_is_named():
    model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2)], name="plain")
    with pytest.raises(UserError, match="The network plain has no dropout"):
        watching.with_dropout(model, 0.5)


@pytest.fixture
def train(tiny, folders):
    """`train()` trains a tiny network for three epochs, watched and kept; returns (trained,
    answers, whether it was trained anew)."""
    parts = watching.split(tiny)

    def once(watched=True, epochs=3, **keep):
        watch = watching.EpochAnswers(parts, 0, **keep)
        one = training.fit(
            compiled(network(dropout=0.2)),
            parts,
            seed=0,
            batch_size=20,
            epochs=epochs,
            callbacks=[watch] if watched else [],
            **keep,
        )
        return one, watch.answers() if watched else None, bool(watch.seen)

    once.labels, once.keep = parts.y_validation, {"run": "mnist-first-course", "profile": "smoke"}
    return once


def test_answers_of_every_epoch_agree_with_the_history(train):
    one, answers, _ = train()
    assert answers.shape == (3, 40) and answers.dtype == "uint8"
    np.testing.assert_allclose(
        (answers == train.labels).mean(axis=1), one.history["val_accuracy"], atol=1e-6
    )


def test_watching_changes_nothing_in_the_training(train):
    watched, plain = train()[0], train(watched=False)[0]
    assert watched.history == plain.history
    for mine, theirs in zip(watched.model.get_weights(), plain.model.get_weights()):
        np.testing.assert_array_equal(mine, theirs)


def test_a_training_found_again_brings_its_answers(train):
    first, again = train(**train.keep), train(**train.keep)
    assert first[2] and not again[2]
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize("damage", ["missing", "cut short", "of another training"])
def test_weights_without_the_answers_that_belong_to_them_are_trained_again(train, damage):
    first = train(**train.keep)
    path = paths.trained("smoke", "mnist-first-course") / "seed-0.answers.npz"
    if damage == "missing":
        path.unlink()
    elif damage == "cut short":
        path.write_bytes(path.read_bytes()[:40])
    else:
        np.savez(path, answers=np.roll(first[1], 1, axis=1))
    again = train(**train.keep)
    assert again[2]
    np.testing.assert_array_equal(first[1], again[1])
    assert json.loads(path.with_name("seed-0.json").read_text())["history"] == first[0].history

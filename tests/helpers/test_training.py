"""From images to a judged network: augmentation, batches, training and its cache, evaluation,
explanation, search."""

import gc
import json
import platform
import weakref
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import tiny_arrays
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from helpers import augmentation, batches, evaluation, explain, search, training
from helpers.batches import Batches, NextEpoch
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.paths import UserError

TENSORFLOW = keras.backend.backend() == "tensorflow"


def network(penalty=0.0, dropout=0.0, classes=4, side=8):
    """A small network that is trained in a second or two."""
    layers = keras.layers
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.Input((side, side, 1), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Flatten(),
            layers.Dense(
                16,
                activation="relu",
                kernel_regularizer=keras.regularizers.L2(penalty) if penalty else None,
            ),
            layers.Dropout(dropout),
            layers.Dense(classes, activation="softmax"),
        ],
        name="tiny",
    )
    return compiled(model)


def compiled(model, rate=0.01, **options):
    model.compile(
        optimizer=training.optimizer("adam", rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        **{**training.compile_options(), **options},
    )
    return model


# --- augmentation ---------------------------------------------------------------------------------


def picture(side=5):
    """One image whose pixels are all different."""
    return np.arange(side * side, dtype="uint8").reshape(1, side, side) * 3


def warped(image, **setting):
    """The image under the largest transformation of the setting: every random number is 1 (or -1
    where the name says so)."""

    class Extreme:
        def __init__(self, sign):
            self.sign = sign

        def uniform(self, low, high, size):
            return np.full(size, float(self.sign))

    sign = setting.pop("sign", 1)
    coefficients = augmentation.transforms(Extreme(sign), len(image), image.shape[1:3], **setting)
    return augmentation.warp(image[..., None], coefficients)[..., 0]


def test_no_setting_leaves_images_as_they_are():
    images = np.random.default_rng(0).integers(0, 256, (6, 9, 9), dtype="uint8")
    np.testing.assert_array_equal(augmentation.augment(images, seed=1)[..., 0], images)


def test_rotation_by_a_right_angle_turns_the_picture():
    turned = warped(picture(), rotation=90)[0].astype(int)
    expected = [np.rot90(picture()[0], k).astype(int) for k in (1, 3)]
    assert min(np.abs(turned - one).max() for one in expected) <= 1  # a value may be rounded
    back = warped(picture(), rotation=90, sign=-1)[0].astype(int)
    np.testing.assert_allclose(back, np.rot90(turned, 2), atol=1)


def test_flips_mirror_the_picture():
    np.testing.assert_array_equal(
        warped(picture(), flip_horizontal=True, sign=-1)[0], picture()[0][:, ::-1]
    )
    np.testing.assert_array_equal(
        warped(picture(), flip_vertical=True, sign=-1)[0], picture()[0][::-1]
    )
    np.testing.assert_array_equal(warped(picture(), flip_horizontal=True)[0], picture()[0])


def test_shift_moves_the_picture_and_repeats_its_edge():
    image = picture()[0]
    moved = warped(picture(), shift=0.2)[0]  # a fifth of five pixels, in both directions
    np.testing.assert_array_equal(moved[:-1, :-1], image[1:, 1:])
    np.testing.assert_array_equal(moved[-1, :-1], image[-1, 1:])


def test_zoom_enlarges_about_the_centre():
    image = np.zeros((1, 9, 9), "uint8")
    image[0, 3:6, 3:6] = 240
    larger, smaller = (warped(image, zoom=0.5, sign=sign)[0].astype(int).sum() for sign in (1, -1))
    assert smaller < image.astype(int).sum() < larger
    assert warped(image, zoom=0.5)[0][4, 4] == 240


def test_augmentation_keeps_bytes_and_follows_from_its_seed():
    images = np.random.default_rng(0).integers(0, 256, (30, 12, 12), dtype="uint8")
    first, again, other = (
        augmentation.augment(images, seed, **augmentation.SETTINGS["strong"]) for seed in (5, 5, 6)
    )
    assert first.dtype == "uint8" and first.shape == (30, 12, 12, 1)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any(axis=(1, 2, 3)).all()


@pytest.mark.skipif(
    not TENSORFLOW or platform.machine() not in ("x86_64", "AMD64"),
    reason="TensorFlow's operation; elsewhere, sums may be rounded once less",
)
@pytest.mark.parametrize("shape", [(40, 28, 28), (12, 128, 128), (30, 7, 19), (5, 1, 1)])
@pytest.mark.parametrize("setting", ["small", "noise", "strong"])
def test_the_compiled_warp_differs_from_tensorflows_in_no_pixel(shape, setting):
    """The records of the augmented runs were made with TensorFlow's operation."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 256, (*shape, 1), dtype="uint8")
    coefficients = augmentation.transforms(
        rng, len(images), shape[1:], **augmentation.SETTINGS[setting]
    )
    theirs = keras.ops.image.affine_transform(
        images.astype("float32"), coefficients, interpolation="bilinear", fill_mode="nearest"
    )
    np.testing.assert_array_equal(
        augmentation.warp(images, coefficients),
        keras.ops.convert_to_numpy(keras.ops.round(theirs)).astype("uint8"),
    )


def test_the_warp_leaves_its_input_alone_and_takes_views_and_read_only_images():
    images = np.random.default_rng(0).integers(0, 256, (8, 9, 9, 1), dtype="uint8")
    kept, expected = images.copy(), augmentation.augment(images, 1, rotation=30)
    np.testing.assert_array_equal(images, kept)
    images.flags.writeable = False
    np.testing.assert_array_equal(augmentation.augment(images, 1, rotation=30), expected)
    spread = np.repeat(images, 2, axis=0)[::2]
    assert not spread.flags.c_contiguous
    np.testing.assert_array_equal(augmentation.augment(spread, 1, rotation=30), expected)


def square(side=28):
    image = np.zeros((side, side), "uint8")
    image[side // 4 : side // 2, side // 4 : side // 2] = 200
    return np.repeat(image[None, :, :, None], 40, axis=0)


@pytest.mark.parametrize("change", augmentation.CHANGES)
def test_a_change_by_nothing_leaves_the_images_as_they_are(change):
    images, nothing = square(), 1 if change == "zoom" else 0
    assert nothing in augmentation.CHANGES[change]
    np.testing.assert_array_equal(augmentation.changed(images, change, nothing), images)
    largest = augmentation.changed(images, change, augmentation.CHANGES[change][-1])
    assert largest.dtype == "uint8" and largest.shape == images.shape
    assert (largest != images).any(axis=(1, 2, 3)).all(), "each image is changed"
    again = augmentation.changed(images, change, augmentation.CHANGES[change][-1])
    np.testing.assert_array_equal(largest, again)


@pytest.mark.parametrize("side, pixels", [(28, 3), (56, 6)])
def test_a_shift_moves_each_image_by_so_much_in_one_of_four_directions(side, pixels):
    images = square(side)
    shifted = augmentation.changed(images, "shift", 3)
    ways = [(pixels, 1), (-pixels, 1), (pixels, 2), (-pixels, 2)]
    rolled = [np.roll(images[:1], by, axis)[0] for by, axis in ways]
    went = [[np.array_equal(image, one) for one in rolled] for image in shifted]
    assert (np.sum(went, axis=1) == 1).all() and np.sum(went, axis=0).all(), "all four occur"


def test_a_rotation_goes_either_way_and_a_zoom_changes_the_size():
    images = square()
    turned = augmentation.changed(images, "rotation", 90)[..., 0]
    ways = [np.rot90(images[0, ..., 0], k) for k in (1, -1)]
    assert all(any(np.abs(t.astype(int) - w).max() <= 1 for w in ways) for t in turned)
    assert len({image.tobytes() for image in turned}) == 2
    area = [
        (augmentation.changed(images, "zoom", factor)[0] > 100).sum() for factor in (0.6, 1, 1.4)
    ]
    assert area[0] < 0.5 * area[1] and area[2] > 1.6 * area[1]


def test_noise_and_blur_have_the_deviation_that_is_asked_for():
    grey = np.full((20, 56, 56, 1), 128, "uint8")
    noise = augmentation.changed(grey, "noise", 0.1) - 128.0
    assert noise.std() == pytest.approx(25.5, rel=0.02) and abs(noise.mean()) < 0.5
    point = np.zeros((1, 57, 57, 1), "uint8")
    point[0, 28, 28] = 255
    spread = augmentation.changed(np.repeat(point, 2, axis=0), "blur", 0.5)[0, ..., 0] / 1.0
    places = np.arange(57) - 28
    assert (spread.sum(0) @ places**2 / spread.sum()) ** 0.5 == pytest.approx(
        0.5 * 57 / 28, rel=0.1
    )


def test_images_with_and_without_channel_are_augmented_alike():
    images = np.random.default_rng(0).integers(0, 256, (4, 8, 8), dtype="uint8")
    np.testing.assert_array_equal(
        augmentation.augment(images, 1, rotation=30),
        augmentation.augment(images[..., None], 1, rotation=30),
    )


def test_one_transformation_draws_the_same_numbers_whatever_else_is_asked_for():
    def shifts(**setting):
        coefficients = augmentation.transforms(np.random.default_rng(4), 20, (10, 10), **setting)
        assert coefficients.shape == (20, 8) and coefficients.dtype == "float32"
        return coefficients

    alone, flipped = shifts(shift=0.2), shifts(shift=0.2, flip_horizontal=True)
    same = flipped[:, 0] > 0  # those that were not flipped
    assert 0 < same.sum() < 20
    np.testing.assert_allclose(alone[same], flipped[same], atol=1e-5)
    generators = [np.random.default_rng(4) for _ in range(2)]
    augmentation.transforms(generators[0], 20, (10, 10))
    augmentation.transforms(generators[1], 20, (10, 10), **augmentation.SETTINGS["strong"])
    assert generators[0].random() == generators[1].random(), (
        "every setting draws six numbers an image"
    )


def test_transformations_stay_within_their_limits():
    a0, a1, _, b0, *_ = augmentation.transforms(
        np.random.default_rng(0), 4000, (28, 28), rotation=10, zoom=0.1
    ).T
    angles, scales = np.rad2deg(np.arctan2(b0, a0)), np.hypot(a0, b0)
    assert np.abs(angles).max() <= 10.001 and np.abs(angles).max() > 9.5
    assert 1 / 1.1 - 1e-4 <= scales.min() and scales.max() <= 1 / 0.9 + 1e-4


# --- batches --------------------------------------------------------------------------------------


class Recorder(keras.layers.Layer):
    """Keeps every batch that a network is trained on, and gives a constant back."""

    def __init__(self):
        super().__init__()
        self.seen = []
        self.scale = self.add_weight(shape=(), initializer="ones")

    def call(self, images, training=False):
        if training:
            self.seen.append(keras.ops.convert_to_numpy(images))
        return self.scale * keras.ops.ones((keras.ops.shape(images)[0], 2)) / 2


def fed(feed_of, x, epochs=3, batch_size=16, seed=0, setting="none"):
    """The images of each batch, epoch by epoch, as `fit` hands them to a network."""
    recorder = Recorder()
    model = keras.Sequential([keras.layers.Input(x.shape[1:], dtype="uint8"), recorder])
    model.compile(loss="sparse_categorical_crossentropy", run_eagerly=True, jit_compile=False)
    found = Batches(x, np.zeros(len(x), "uint8"), batch_size, seed, augmentation.SETTINGS[setting])
    recorder.seen.clear()
    model.fit(feed_of(found), epochs=epochs, verbose=0, shuffle=False, callbacks=[NextEpoch(found)])
    steps = found.steps
    assert len(recorder.seen) == epochs * steps
    return [recorder.seen[epoch * steps : (epoch + 1) * steps] for epoch in range(epochs)]


def numbered(n=50, side=6):
    """Images whose first two pixels tell their number."""
    images = np.random.default_rng(0).integers(0, 256, (n, side, side, 1), dtype="uint8")
    images[:, 0, 0, 0] = np.arange(n)
    return images


def elsewhere(found):
    """What `feed` gives where the back end is not TensorFlow."""
    found.begin(0)
    return batches._Sequence(found.steps, found.batch)


FEEDS = {"PyDataset": elsewhere, **({"tf.data": Batches.feed} if TENSORFLOW else {})}
feeds = pytest.mark.parametrize("feed", FEEDS.values(), ids=FEEDS)


@feeds
def test_every_epoch_shows_every_image_once_in_another_order(feed):
    epochs = fed(feed, numbered())
    orders = [[int(image[0, 0, 0]) for batch in epoch for image in batch] for epoch in epochs]
    for epoch, order in zip(epochs, orders):
        assert [len(batch) for batch in epoch] == [16, 16, 16, 2], "the last batch is smaller"
        assert sorted(order) == list(range(50))
    assert len({tuple(order) for order in orders}) == 3
    other = fed(feed, numbered(), epochs=1, seed=1)
    assert [int(image[0, 0, 0]) for batch in other[0] for image in batch] != orders[0]


@pytest.mark.skipif(not TENSORFLOW, reason="tf.data comes with TensorFlow")
@pytest.mark.parametrize("setting", ["none", "noise", "strong"])
def test_both_feeds_give_the_same_images_in_the_same_order(setting):
    one, other = (fed(feed, numbered(), setting=setting) for feed in FEEDS.values())
    for epoch_a, epoch_b in zip(one, other):
        for batch_a, batch_b in zip(epoch_a, epoch_b):
            np.testing.assert_array_equal(batch_a, batch_b)


@pytest.mark.parametrize("n", [1, 999, 1000, 2500])
def test_images_to_validate_on_come_in_their_order_each_once(n):
    images, labels = (
        np.random.default_rng(0).integers(0, 256, (n, 3, 3, 1), dtype="uint8"),
        np.arange(n, dtype="int32"),
    )
    feed = batches.in_order(images, labels)
    found = list(feed) if TENSORFLOW else [feed[step] for step in range(len(feed))]
    assert [len(part) for _, part in found] == [1000] * (n // 1000) + [n % 1000] * (n % 1000 > 0)
    np.testing.assert_array_equal(np.concatenate([part for part, _ in found]), images)
    np.testing.assert_array_equal(np.concatenate([part for _, part in found]), labels)


def test_validation_and_predictions_are_those_of_plain_keras():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (2300, 5, 5, 1), dtype="uint8"), rng.integers(0, 3, 2300)
    keras.utils.set_random_seed(0)
    model = compiled(
        keras.Sequential(
            [
                keras.layers.Input((5, 5, 1), dtype="uint8"),
                keras.layers.Rescaling(1 / 255),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
    )
    np.testing.assert_array_equal(
        model.predict(batches.in_order(x), verbose=0), model.predict(x, batch_size=1000, verbose=0)
    )
    assert model.evaluate(batches.in_order(x, y), verbose=0) == model.evaluate(
        x, y, batch_size=1000, verbose=0
    )


def test_images_are_let_go_when_they_have_been_fed():
    """TensorFlow keeps what it is given to call; a run that predicts on five copies of the test
    images would keep them all."""

    class Images(np.ndarray):
        pass  # which can be referred to weakly

    x = np.zeros((50, 6, 6, 1), "uint8").view(Images)
    found, kept = Batches(x, np.zeros(50, "uint8"), 16, 0, {}), weakref.ref(x)
    for feed in (batches.in_order(x), found.feed()):
        assert (
            sum(
                len(batch[0])
                for batch in (feed if TENSORFLOW else map(feed.__getitem__, range(len(feed))))
            )
            == 50
        )
    del x, found, feed
    gc.collect()
    assert kept() is None


@pytest.mark.skipif(not TENSORFLOW, reason="tf.data comes with TensorFlow")
def test_tensorflow_does_not_tune_the_feeds():
    """Where it did, `fit` stood still for up to a second at its end."""
    for feed in (
        Batches(numbered(), np.zeros(50, "uint8"), 16, 0, {}).feed(),
        batches.in_order(numbered()),
    ):
        assert feed.options().autotune.enabled is False


def test_a_training_leaves_no_temporary_file(monkeypatch, tmp_path):
    """A forked kernel ends without the clean-up of an interpreter; autograph relied on that."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    model = network(side=6)
    found = Batches(numbered(), np.zeros(50, "uint8"), 16, 0, augmentation.SETTINGS["noise"])
    validation = batches.in_order(found.x, found.y)
    model.fit(found.feed(), validation_data=validation, verbose=0, shuffle=False)
    assert not list(tmp_path.iterdir())


@feeds
def test_augmented_images_differ_from_epoch_to_epoch(feed):
    image = np.repeat(numbered(1), 8, axis=0)
    epochs = [np.concatenate(epoch) for epoch in fed(feed, image, setting="strong")]
    copies = np.concatenate(epochs).reshape(24, -1)
    assert len(np.unique(copies, axis=0)) == 24
    assert copies.dtype == "uint8"


@feeds
def test_labels_stay_with_their_images(feed):
    x = numbered()
    found = Batches(x, np.arange(50).astype("uint8"), 16, 0, {})
    given = feed(found)
    pairs = [
        (images, labels)
        for images, labels in (
            given
            if not isinstance(given, batches._Sequence)
            else [given[i] for i in range(len(given))]
        )
    ]
    for images, labels in pairs:
        np.testing.assert_array_equal(np.asarray(images)[:, 0, 0, 0], np.asarray(labels))


def test_split_parts_are_disjoint_stratified_and_named(tiny):
    parts = batches.split(tiny, train_images=60, validation_images=40, test_images=20)
    assert parts.sizes == {"train": 60, "validation": 40, "test": 20}
    assert parts.x_train.shape == (60, 8, 8, 1) and parts.x_train.dtype == "uint8"
    pictures = [{image.tobytes() for image in images} for _, images, _ in parts.each()]
    assert (
        not pictures[0] & pictures[1]
        and not pictures[0] & pictures[2]
        and not pictures[1] & pictures[2]
    )
    for _, _, labels in parts.each():
        assert np.ptp(np.bincount(labels, minlength=4)) <= 1


def test_validation_part_does_not_depend_on_the_training_size(tiny):
    small, large = batches.split(tiny, 20, 40), batches.split(tiny, 0, 40)
    np.testing.assert_array_equal(small.x_validation, large.x_validation)
    assert small.identity != large.identity
    assert large.identity == batches.split(tiny, 80, 40).identity, (
        "all that is left, asked for by number or not"
    )


def test_special_validation_sizes_mean_a_fifth_and_as_many_as_test(tiny):
    assert batches.split(tiny).sizes["validation"] == 120 // 5
    assert batches.split(tiny, validation_images=-1).sizes["validation"] == 40


def test_another_choice_gives_another_validation_part_and_the_same_test_images(tiny):
    first, same, other = (batches.split(tiny, 40, 20, choice=choice) for choice in (0, 0, 1))
    np.testing.assert_array_equal(first.x_validation, same.x_validation)
    assert first.identity == same.identity != other.identity
    assert not np.array_equal(first.x_validation, other.x_validation)
    np.testing.assert_array_equal(first.x_test, other.x_test)
    counts = [np.bincount(part.y_validation).tolist() for part in (first, other)]
    assert counts[0] == counts[1], "as many of each class"


def test_a_split_larger_than_the_data_is_refused(tiny):
    with pytest.raises(
        UserError, match="120 training images of 4 classes, too few for 100 .* 40 to val"
    ):
        batches.split(tiny, train_images=100, validation_images=40)


@pytest.mark.parametrize(
    "asked, sizes",
    [
        ((8000, 1000, 4000), (96, 24, 40)),  # quick
        ((400, 150, 200), (96, 24, 40)),  # smoke
        ((0, 1000, 0), (96, 24, 40)),
        ((100, 40, 10), (96, 24, 10)),
        ((110, 20, 40), (100, 20, 40)),
        ((200, -1, 0), (96, 24, 40)),
    ],
)
def test_with_a_set_of_ones_own_the_sizes_fit_by_themselves(tiny, capsys, asked, sizes):
    own = replace(tiny, name="columns")
    assert tuple(batches.split(own, *asked).sizes.values()) == sizes
    told = "{} to train on, {} to validate on, {} to test on".format(*sizes)
    assert capsys.readouterr().out == f"Columns has fewer images than were asked for: {told}.\n"


def test_sizes_that_fit_give_the_same_split_whoever_s_the_set_is(tiny, capsys):
    own = replace(tiny, name="columns")
    for asked in ((), (60, 40, 20), (80, 40), (10, 1, 1)):
        assert batches.split(own, *asked).identity == batches.split(tiny, *asked).identity
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_set_too_small_for_anything_is_one_clear_line(tiny, count):
    few = {"x_train": tiny.x_train[:count], "y_train": tiny.y_train[:count]}
    for asked in ((), (8000, 1000, 4000)):
        with pytest.raises(
            UserError, match=f"Columns has {count} training images of 4 classes, too few for "
        ):
            batches.split(replace(tiny, name="columns", **few), *asked)


def test_split_gives_every_class_and_hand_its_share(tiny):
    hands = (np.arange(120) % 2).astype("uint8")
    tiny.x_train[:, 7, 7] = hands  # so that an image tells its hand
    parts = batches.split(replace(tiny, hand_train=hands, hand_test=hands[:40]), 0, 40)
    for label in range(4):
        for hand in range(2):
            taken = ((parts.y_validation == label) & (parts.x_validation[:, 7, 7, 0] == hand)).sum()
            assert abs(taken - ((tiny.y_train == label) & (hands == hand)).sum() / 3) < 1


# --- training -------------------------------------------------------------------------------------


def test_same_seed_gives_the_same_training_metric_for_metric(parts):
    def once(seed):
        keras.utils.set_random_seed(seed)
        trained = training.fit(
            network(dropout=0.3), parts, seed=seed, batch_size=16, epochs=2, setting="noise"
        )
        return trained.history, evaluation.evaluate(trained, parts)

    (history, (metrics, predictions)), (again, (metrics_again, predictions_again)) = (
        once(0),
        once(0),
    )
    assert history == again
    timeless = {name for name in metrics if "second" not in name}
    assert {name: metrics[name] for name in timeless} == {
        name: metrics_again[name] for name in timeless
    }
    for name in predictions:
        np.testing.assert_array_equal(predictions[name], predictions_again[name])
    assert once(1)[0] != history


def test_trained_tells_epochs_history_and_seconds(parts):
    trained = training.fit(network(), parts, seed=0, batch_size=16, epochs=3)
    assert trained.epochs == 3 and trained.seconds > 0 and trained.images == 80
    assert set(trained.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert all(
        len(values) == 3 and all(type(value) is float for value in values)
        for values in trained.history.values()
    )


@pytest.mark.skipif(not TENSORFLOW, reason="other back ends take one step at a time")
def test_steps_per_execution_leaves_results_alone(parts, monkeypatch):
    def once(few):
        keras.utils.set_random_seed(0)
        monkeypatch.setattr(training, "FEW_STEPS", few)
        options = {"seed": 0, "batch_size": 16, "epochs": 2, "setting": "small"}
        return training.fit(compiled(network(dropout=0.3)), parts, **options)

    many, one = once(0), once(1000)
    assert (many.model.steps_per_execution, one.model.steps_per_execution) == (16, 1)
    assert one.history == many.history
    for a, b in zip(one.model.get_weights(), many.model.get_weights()):
        np.testing.assert_array_equal(a, b)


@pytest.mark.skipif(not TENSORFLOW, reason="other back ends take one step at a time")
@pytest.mark.parametrize("lengths", [(1, 40), (40, 1)])
def test_a_network_that_learns_twice_sees_every_batch(parts, lengths, monkeypatch):
    """It may learn for a few steps first, one by one, and many later, or the other way round."""
    monkeypatch.setattr(training, "FEW_STEPS", 100)
    model, steps = compiled(network()), -(-len(parts.y_train) // 16)
    for epochs in lengths:
        training.fit(model, parts, seed=0, batch_size=16, epochs=epochs)
    assert steps < 100 < 40 * steps
    assert int(model.optimizer.iterations) == 41 * steps


@pytest.mark.skipif(not TENSORFLOW, reason="graphs are TensorFlow's")
def test_a_step_is_traced_once(parts):
    model, traced = compiled(network()), []
    model.train_step = lambda data: traced.append(data) or type(model).train_step(model, data)
    training.fit(model, parts, seed=0, batch_size=16, epochs=2)
    assert len(traced) == 1


def test_log_probabilities_are_those_of_plain_keras_batch_by_batch():
    x = np.random.default_rng(0).integers(0, 256, (2300, 5, 5, 1), dtype="uint8")
    expected = np.log(network(side=5).predict(x, batch_size=1000, verbose=0))
    model, traced = network(side=5), []
    if TENSORFLOW:
        once = model.predict_step
        model.predict_step = lambda data: traced.append(data) or once(data)
    np.testing.assert_allclose(evaluation.log_probabilities(model, x), expected, atol=1e-5)
    assert len(traced) <= 3


@pytest.fixture
def kept(parts, folders, monkeypatch):
    """`kept(**changes)` trains, or finds, the run "toy"; `kept.trainings` counts how often it
    trained. What is trained is random weights, for speed."""
    trainings = []

    def random_weights(model, *args, **kwargs):
        trainings.append(1)
        rng = np.random.default_rng(len(trainings))
        model.set_weights(
            [rng.normal(size=value.shape).astype("float32") for value in model.get_weights()]
        )
        return SimpleNamespace(history={"loss": [float(len(trainings))]})

    monkeypatch.setattr(keras.Model, "fit", random_weights)

    def again(model=None, data=parts, **changes):
        return training.fit(
            model or network(),
            data,
            **{
                "seed": 0,
                "batch_size": 16,
                "epochs": 1,
                "run": "toy",
                "profile": "smoke",
                **changes,
            },
        )

    again.trainings = trainings
    return again


def same_weights(one, other):
    return all(
        np.array_equal(a, b) for a, b in zip(one.model.get_weights(), other.model.get_weights())
    )


def test_a_trained_network_is_found_again_and_not_trained(parts, folders, monkeypatch, capsys):
    how = {"seed": 0, "batch_size": 16, "epochs": 1, "run": "toy", "profile": "smoke"}
    first = training.fit(network(), parts, **how)
    assert "is found" not in capsys.readouterr().out
    monkeypatch.setattr(keras.Model, "fit", lambda *args, **kwargs: pytest.fail("trained again"))
    second = training.fit(network(), parts, **how)
    assert capsys.readouterr().out.startswith("seed 0: the network is found in data/trained")
    assert (
        same_weights(first, second)
        and first.history == second.history
        and first.seconds == second.seconds
    )
    assert second.model.evaluate(parts.x_validation, parts.y_validation, verbose=0)[
        0
    ] == pytest.approx(first.history["val_loss"][0], rel=1e-5)


def test_any_changed_argument_network_rate_or_data_trains_again(kept, parts):
    def stopping(patience):
        return {"callbacks": [keras.callbacks.EarlyStopping(patience=patience)]}

    for number, changes in enumerate(
        [
            {},
            {"batch_size": 8},
            {"epochs": 2},
            {"setting": "small"},
            stopping(3),
            stopping(4),
            {"model": network(dropout=0.1)},
            {"model": compiled(network(), rate=0.02)},
            {"data": replace(parts, identity="other images")},
        ],
        start=1,
    ):
        kept(**changes)
        assert len(kept.trainings) == number, changes
        if "model" not in changes:
            kept(
                **(
                    stopping(changes["callbacks"][0].patience)
                    if "callbacks" in changes
                    else changes
                )
            )
            assert len(kept.trainings) == number, f"{changes} once more"


def test_each_seed_has_a_file_of_its_own(kept):
    first, other = kept(), kept(seed=1)
    assert (
        same_weights(kept(), first)
        and same_weights(kept(seed=1), other)
        and not same_weights(first, other)
    )
    assert len(kept.trainings) == 2


def test_nothing_is_kept_without_run_and_profile(kept):
    kept(run=None, profile=None)
    kept(run=None, profile=None)
    assert len(kept.trainings) == 2 and not list(paths.DATA.rglob("*"))


def flipped(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "name, damage",
    [
        ("seed-0.weights.npz", flipped),
        ("seed-0.weights.npz", lambda content: content[:100]),
        ("seed-0.weights.npz", lambda content: b""),
        ("seed-0.weights.npz", None),
        ("seed-0.json", None),
        ("seed-0.json", lambda content: content[:-20]),
        ("seed-0.json", lambda content: b"[1, 2]"),
        ("seed-0.json", lambda content: content.replace(b'"seconds": ', b'"seconds": 1')),
        ("seed-0.sha256", None),
        ("seed-0.sha256", lambda content: content.replace(b"seed-0.json", b"seed-1.json")),
        ("seed-0.sha256", lambda content: b""),
    ],
    ids=[
        "weights flipped",
        "weights truncated",
        "weights empty",
        "no weights",
        "no record",
        "record truncated",
        "record of another kind",
        "record altered",
        "no manifest",
        "manifest altered",
        "manifest empty",
    ],
)
def test_damaged_weights_are_noticed_and_trained_again(kept, name, damage):
    kept()
    path = paths.trained("smoke", "toy") / name
    if damage:
        path.write_bytes(damage(path.read_bytes()))
    else:
        path.unlink()
    mended = kept()
    assert len(kept.trainings) == 2
    assert same_weights(kept(), mended)
    assert len(kept.trainings) == 2, "and the mended file is good"


def test_a_training_that_breaks_off_leaves_nothing_to_be_found(parts, folders):
    class Unplugged(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training.fit(
            network(),
            parts,
            seed=0,
            batch_size=16,
            epochs=1,
            callbacks=[Unplugged()],
            run="toy",
            profile="smoke",
        )
    assert not list(paths.DATA.rglob("seed-*"))


def test_a_loss_that_is_no_number_is_an_error_and_is_not_kept(parts, folders):
    with pytest.raises(
        UserError, match="The loss of toy, seed 0, is no longer a number: lower the learning rate"
    ):
        training.fit(
            compiled(network(), rate=float("nan")),
            parts,
            seed=0,
            batch_size=16,
            epochs=1,
            run="toy",
            profile="smoke",
        )
    assert not list(paths.DATA.rglob("seed-*"))


def test_early_stopping_gives_the_best_weights_back(parts):
    labels = np.random.default_rng(0).permutation(
        parts.y_validation
    )  # nothing to be learnt: validation soon gets worse
    hopeless = replace(parts, y_validation=labels)
    stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=True)
    trained = training.fit(
        compiled(network(), rate=0.05), hopeless, seed=0, batch_size=16, epochs=40, callbacks=[stop]
    )
    losses = trained.history["val_loss"]
    assert len(losses) < 40 and len(losses) == np.argmin(losses) + 1 + 3
    assert trained.model.evaluate(hopeless.x_validation, labels, verbose=0)[0] == pytest.approx(
        min(losses), rel=1e-4
    )


def test_progress_is_written_for_the_grid_after_each_epoch(parts, tmp_path, monkeypatch):
    monkeypatch.setenv("PROGRESS_FILE", str(tmp_path / "progress.json"))
    training.fit(network(), parts, seed=2, batch_size=16, epochs=2)
    assert json.loads((tmp_path / "progress.json").read_text())["text"].startswith(
        "seed 2, epoch 2/2, validation accuracy "
    )


def test_every_epoch_keeps_its_line_in_the_notebook(parts, capsys):
    training.fit(network(), parts, seed=2, batch_size=16, epochs=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == ["seed 2, epoch 1/2", "seed 2, epoch 2/2"]
    assert all(f"{name} 0." in lines[0] for name in ("accuracy", "val_accuracy"))


@pytest.mark.parametrize(
    "name, kind, momentum",
    [
        ("rmsprop", "RMSprop", None),
        ("adam", "Adam", None),
        ("adadelta", "Adadelta", None),
        ("sgd", "SGD", 0.0),
        ("momentum", "SGD", 0.9),
    ],
)
def test_optimisers_are_fresh_and_have_the_rate_asked_for(name, kind, momentum):
    one, other = training.optimizer(name, 0.25), training.optimizer(name, 0.25)
    assert type(one).__name__ == kind and one is not other
    assert float(keras.ops.convert_to_numpy(one.learning_rate)) == 0.25
    assert momentum is None or one.momentum == momentum


# --- evaluation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [0.0, 0.02])
def test_metrics_are_those_of_model_evaluate(parts, penalty):
    trained = training.fit(network(penalty), parts, seed=0, batch_size=16, epochs=2)
    metrics, _ = evaluation.evaluate(trained, parts)
    for part, images, labels in parts.each():
        loss, accuracy = trained.model.evaluate(images, labels, verbose=0)
        assert metrics[f"{part}_loss"] == pytest.approx(loss, rel=1e-5)
        assert metrics[f"{part}_accuracy"] == pytest.approx(accuracy)
    assert (metrics["test_loss"] > metrics["nll"] + 1e-4) == (penalty > 0)
    assert metrics["epochs"] == 2 and metrics["seconds_per_epoch"] == metrics["seconds"] / 2
    assert metrics["images_per_second"] == pytest.approx(160 / metrics["seconds"])


@pytest.mark.skipif(not TENSORFLOW, reason="JAX and Torch clip probabilities in Keras's loss")
def test_sure_mistakes_cost_what_keras_says(parts):
    model = network()
    model.layers[-1].kernel.assign(model.layers[-1].kernel * 60)
    logp = evaluation.log_probabilities(model, parts.x_test)
    assert logp.min() < -20, "probabilities below the 1e-7 at which other code clips"
    assert evaluation.nll(logp, parts.y_test) == pytest.approx(
        model.evaluate(parts.x_test, parts.y_test, verbose=0)[0], rel=1e-4
    )


def test_batch_normalisation_and_dropout_are_still_at_evaluation(parts):
    layers = keras.layers
    keras.utils.set_random_seed(0)
    model = compiled(
        keras.Sequential(
            [
                layers.Input((8, 8, 1), dtype="uint8"),
                layers.Rescaling(1 / 255),
                layers.Conv2D(4, 3, activation="relu"),
                layers.BatchNormalization(),
                layers.Dropout(0.5),
                layers.Flatten(),
                layers.Dense(4, activation="softmax"),
            ]
        )
    )
    trained = training.fit(model, parts, seed=0, batch_size=16, epochs=1)
    metrics, predictions = evaluation.evaluate(trained, parts)
    again, predictions_again = evaluation.evaluate(trained, parts)
    assert metrics == again
    loss, accuracy = model.evaluate(parts.x_test, parts.y_test, verbose=0)
    assert (metrics["test_loss"], metrics["test_accuracy"]) == (
        pytest.approx(loss, rel=1e-5),
        pytest.approx(accuracy),
    )
    assert metrics["test_accuracy"] == np.mean(predictions["y_pred"] == parts.y_test)


def test_predictions_are_log_probabilities_of_predicted_and_true_class(parts):
    trained = training.fit(network(), parts, seed=0, batch_size=16, epochs=2)
    metrics, found = evaluation.evaluate(trained, parts)
    probabilities = trained.model.predict(parts.x_test, verbose=0)
    assert {name: value.dtype.name for name, value in found.items()} == {
        "y_pred": "uint8",
        "logp_pred": "float16",
        "logp_true": "float16",
        "logp_pred_scaled": "float16",
        "logp_true_scaled": "float16",
    }
    np.testing.assert_array_equal(found["y_pred"], probabilities.argmax(axis=1))
    np.testing.assert_allclose(
        np.exp(found["logp_pred"].astype(float)), probabilities.max(axis=1), rtol=2e-3
    )
    np.testing.assert_allclose(
        np.exp(found["logp_true"].astype(float)),
        probabilities[np.arange(40), parts.y_test],
        rtol=4e-3,
    )
    assert -found["logp_true"].astype(float).mean() == pytest.approx(metrics["nll"], rel=2e-3)
    assert -found["logp_true_scaled"].astype(float).mean() == pytest.approx(
        metrics["nll_scaled"], rel=2e-3
    )
    right = found["y_pred"] == parts.y_test
    np.testing.assert_array_equal(found["logp_pred"][right], found["logp_true"][right])
    assert (found["logp_pred"] >= found["logp_true"]).all()


def some_logp(n=400, classes=5, sharpness=3.0, seed=0):
    rng = np.random.default_rng(seed)
    return log_softmax(sharpness * rng.normal(size=(n, classes)), axis=1), rng.integers(
        0, classes, n
    )


def test_negative_log_likelihood_of_a_case_worked_by_hand():
    logp = np.log([[0.5, 0.5], [0.2, 0.8], [0.9, 0.1]])
    assert evaluation.nll(logp, np.array([0, 1, 1])) == pytest.approx(
        -(np.log(0.5) + np.log(0.8) + np.log(0.1)) / 3
    )
    assert evaluation.accuracy(logp, np.array([0, 1, 1])) == pytest.approx(2 / 3)


def test_calibration_error_of_a_case_worked_by_hand():
    # Two images at .60 (bin 9 of 15: .533-.600), one of them right; two at .95 (bin 15), both
    # right.
    logp = np.log([[0.6, 0.4], [0.6, 0.4], [0.95, 0.05], [0.05, 0.95]])
    assert evaluation.calibration_error(logp, np.array([0, 1, 0, 1])) == pytest.approx(
        0.5 * abs(0.6 - 0.5) + 0.5 * abs(0.95 - 1)
    )


def test_calibration_error_agrees_with_a_plain_loop():
    logp, labels = some_logp()
    confidence, right = np.exp(logp.max(axis=1)), logp.argmax(axis=1) == labels
    total = 0.0
    for number in range(15):
        inside = (confidence > number / 15) & (confidence <= (number + 1) / 15)
        if inside.any():
            total += inside.mean() * abs(confidence[inside].mean() - right[inside].mean())
    assert evaluation.calibration_error(logp, labels) == pytest.approx(total)


def test_scaling_is_a_softmax_of_divided_logits():
    logits = np.random.default_rng(0).normal(size=(50, 6)) * 5
    for temperature in (0.5, 1.0, 3.0):
        np.testing.assert_allclose(
            evaluation.scale(log_softmax(logits, axis=1), temperature),
            log_softmax(logits / temperature, axis=1),
            atol=1e-10,
        )


def test_temperature_is_the_likeliest_one():
    logp, _ = some_logp(4000, sharpness=2.0)
    rng = np.random.default_rng(1)
    labels = np.array(
        [rng.choice(5, p=np.exp(row)) for row in logp]
    )  # a perfectly calibrated network
    assert evaluation.fit_temperature(logp, labels) == pytest.approx(1, abs=0.06)
    sharp = evaluation.scale(logp, 1 / 2.5)  # the same network, too sure of itself
    found = evaluation.fit_temperature(sharp, labels)
    grid = np.linspace(1.5, 4, 2001)
    brute = grid[np.argmin([evaluation.nll(log_softmax(sharp / t, axis=1), labels) for t in grid])]
    assert found == pytest.approx(brute, abs=2e-3)
    direct = minimize_scalar(
        lambda t: -np.mean(log_softmax(sharp / t, axis=1)[np.arange(4000), labels]),
        bounds=(0.1, 10),
        method="bounded",
    ).x
    assert found == pytest.approx(direct, abs=2e-3)
    assert evaluation.nll(evaluation.scale(sharp, found), labels) < evaluation.nll(sharp, labels)


def test_temperature_scaling_never_changes_the_answer():
    logp, _ = some_logp()
    np.testing.assert_array_equal(evaluation.scale(logp, 7.0).argmax(axis=1), logp.argmax(axis=1))


def test_temperature_agrees_with_logistic_regression_on_two_classes():
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(0)
    logit = rng.normal(size=3000) * 4
    labels = (rng.random(3000) < 1 / (1 + np.exp(-logit / 2))).astype(int)  # true temperature 2
    logp = log_softmax(np.stack([np.zeros(3000), logit], axis=1), axis=1)
    slope = sm.Logit(labels, logit).fit(disp=0).params[0]
    assert evaluation.fit_temperature(logp, labels) == pytest.approx(1 / slope, rel=1e-3)


def test_a_classifier_that_is_always_right_is_measured_without_a_warning(parts):
    logp = np.where(
        np.arange(4) == parts.y_test[:, None], np.float32(0), np.log(np.finfo("float32").tiny)
    )
    with np.errstate(all="raise", under="ignore"):
        assert evaluation.accuracy(logp, parts.y_test) == 1
        assert evaluation.nll(logp, parts.y_test) == 0
        assert evaluation.calibration_error(logp, parts.y_test) == 0
        assert 0.05 <= evaluation.fit_temperature(logp, parts.y_test) <= 20


def test_a_classifier_that_always_says_the_same_is_measured(parts):
    logp = np.log(np.tile(np.float32([0.7, 0.1, 0.1, 0.1]), (40, 1)))
    share = np.mean(parts.y_test == 0)
    assert evaluation.accuracy(logp, parts.y_test) == share
    assert evaluation.calibration_error(logp, parts.y_test) == pytest.approx(abs(0.7 - share))
    assert evaluation.fit_temperature(logp, parts.y_test) > 1.5, "it is much too sure"


def test_a_class_that_is_missing_from_a_part_does_no_harm(parts):
    keep = parts.y_test != 3
    thin = replace(parts, x_test=parts.x_test[keep], y_test=parts.y_test[keep])
    trained = training.fit(network(), thin, seed=0, batch_size=16, epochs=1)
    metrics, predictions = evaluation.evaluate(trained, thin)
    assert len(predictions["y_pred"]) == keep.sum()
    assert all(np.isfinite(value) for name, value in metrics.items() if name != "history")


def test_impossible_answers_stay_finite(parts):
    model = network()
    model.layers[-1].bias.assign([1e4, 0, 0, 0])  # probabilities of exactly 0 and 1
    logp = evaluation.log_probabilities(model, parts.x_test)
    assert np.isfinite(logp).all()
    assert np.isfinite(evaluation.nll(logp, parts.y_test)) and np.isfinite(
        evaluation.fit_temperature(logp, parts.y_test)
    )


@pytest.mark.parametrize("side, channel", [(8, False), (64, True)])
def test_nearest_neighbour_agrees_with_brute_force(side, channel):
    arrays = tiny_arrays(train=70, test=30, side=side)
    train, test = arrays["x_train"].astype(float), arrays["x_test"].astype(float)
    if side > 32:  # averaged down to 32x32 first
        train, test = (
            images.reshape(-1, 32, side // 32, 32, side // 32).mean(axis=(2, 4))
            for images in (train, test)
        )
    distances = ((test[:, None] - train[None]) ** 2).sum(axis=(2, 3))
    images = [
        arrays[name][..., None] if channel else arrays[name] for name in ("x_train", "x_test")
    ]
    found = evaluation.nearest_neighbour(images[0], arrays["y_train"], images[1])
    assert found.dtype == "uint8"
    np.testing.assert_array_equal(found, arrays["y_train"][distances.argmin(axis=1)])
    rows = [evaluation.reduced(one, 32) for one in images]
    np.testing.assert_array_equal(evaluation.nearest(*rows, batch=7), evaluation.nearest(*rows))


# --- explanation ----------------------------------------------------------------------------------


def seeing(side=12):
    """A network whose first channel passes brightness, and whose two classes want it bright in the
    left or in the right half."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((side, side, 1), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(2, 3, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax"),
        ]
    )
    kernel = np.zeros((3, 3, 1, 2), "float32")
    kernel[1, 1, 0, 0] = 1
    model.layers[1].set_weights([kernel, np.zeros(2, "float32")])
    weights = np.zeros((side, side, 2, 2), "float32")
    weights[:, :, 0, 1] = 0.1  # only brightness speaks for class 1
    model.layers[-1].set_weights([weights.reshape(-1, 2), np.zeros(2, "float32")])
    return model


def test_gradcam_finds_the_bright_spot_and_only_for_the_class_it_speaks_for():
    images = np.zeros((2, 12, 12, 1), "uint8")
    images[:, 2:5, 7:10] = 255
    heat = explain.gradcam(seeing(), images, [1, 0])
    assert heat.shape == (2, 12, 12)
    assert heat.min() >= 0 and heat[0].max() == pytest.approx(1)
    spot = np.zeros((12, 12), bool)
    spot[2:5, 7:10] = True
    assert (heat[0][spot] > 0.99).all() and (heat[0][~spot] < 1e-6).all()
    assert heat[1].max() == 0, "brightness speaks against class 0"


def test_gradcam_uses_the_last_of_several_convolutions():
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((12, 12, 1), dtype="uint8"),
            layers.Rescaling(1 / 255),
            layers.Conv2D(2, 3),
            layers.Conv2D(3, 3),
            layers.Flatten(),
            layers.Dense(4, activation="softmax"),
        ]
    )
    assert explain.gradcam(
        model, np.random.default_rng(0).integers(0, 256, (3, 12, 12, 1), dtype="uint8"), [0, 1, 2]
    ).shape == (3, 8, 8)


def test_gradients_agree_with_finite_differences():
    keras.utils.set_random_seed(1)
    layers = keras.layers
    head = keras.Sequential(
        [
            layers.Input((3, 3, 2)),
            layers.Flatten(),
            layers.Dense(5, activation="tanh"),
            layers.Dense(3, activation="softmax"),
        ]
    )
    maps, classes = (
        np.random.default_rng(0).normal(size=(2, 3, 3, 2)).astype("float32"),
        np.array([2, 0]),
    )
    found = explain._gradients(head, maps, classes)

    def evidence(values):
        return np.log(keras.ops.convert_to_numpy(head(values))[np.arange(2), classes].astype(float))

    step = 1e-2
    for place in [(0, 0, 0), (1, 2, 1), (2, 2, 0)]:
        moved = np.zeros((1, 3, 3, 2), "float32")
        moved[(0, *place)] = step
        slope = (evidence(maps + moved) - evidence(maps - moved)) / (2 * step)
        np.testing.assert_allclose(found[(slice(None), *place)], slope, rtol=2e-2, atol=2e-4)


def test_feature_maps_show_every_convolution():
    image = np.zeros((12, 12, 1), "uint8")
    image[4, 6] = 255
    found = explain.feature_maps(seeing(), image)
    assert list(found) == ["convolution 1"] and found["convolution 1"].shape == (12, 12, 2)
    np.testing.assert_allclose(found["convolution 1"][..., 0], image[..., 0] / 255, atol=1e-6)


def test_plane_is_the_principal_plane_of_the_last_hidden_layer(parts):
    model = network()
    points, held = explain.plane(model, parts.x_test)
    hidden = keras.Sequential(model.layers[:-1]).predict(parts.x_test, verbose=0)
    variances = np.sort(np.linalg.eigvalsh(np.cov(hidden.T.astype(float))))[::-1]
    np.testing.assert_allclose(points.var(axis=0, ddof=1), variances[:2], rtol=1e-3)
    assert held == pytest.approx(variances[:2].sum() / variances.sum(), rel=1e-4)


# --- search ---------------------------------------------------------------------------------------


def build(hp, image_shape, classes):
    units = hp.Int("units", 4, 16, step=4)
    rate = hp.Float("learning_rate", 1e-3, 1e-1, sampling="log")
    stack = [
        keras.layers.Input(image_shape, dtype="uint8"),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Flatten(),
        keras.layers.Dense(units, activation="relu"),
        keras.layers.Dense(classes, activation="softmax"),
    ]
    return keras.Sequential(stack), keras.optimizers.Adam(rate)


@pytest.fixture
def searching(parts, folders, monkeypatch, eager):
    trainings = []
    original = search.Space.fit
    monkeypatch.setattr(
        search.Space,
        "fit",
        lambda *args, **kwargs: (trainings.append(1), original(*args, **kwargs))[1],
    )

    def go(kind="random search", **changes):
        return search.run(
            kind,
            **{
                "build": build,
                "parts": parts,
                "classes": 4,
                "batch_size": 16,
                "trials": 2,
                "trial_epochs": 2,
                "seed": 0,
                "run": "toy-search",
                "profile": "smoke",
                **changes,
            },
        )

    go.trainings = trainings
    return go


def test_search_keeps_settings_and_curve_of_every_trial_and_is_not_repeated(searching, parts):
    tuner = searching()
    found = search.trials_of(tuner, "random search")
    assert len(found) == len(searching.trainings) == 2
    for trial in found:
        assert set(trial["values"]) == {"units", "learning_rate"}
        assert (
            trial["epochs"] == len(trial["curve"]) == 2
            and trial["score"] == max(trial["curve"])
            and trial["seconds"] > 0
        )
    best = search.best(tuner, 0, len(parts.y_train))
    metrics, _ = evaluation.evaluate(best, parts)
    assert metrics["validation_accuracy"] == pytest.approx(max(trial["score"] for trial in found))
    assert search.trials_of(searching(), "random search") == found and len(searching.trainings) == 2


@pytest.mark.parametrize("kind", ["random search", "evolution", "Hyperband", "annealed Hyperband"])
def test_kept_trials_are_said_to_be_found_and_loaded_without_a_warning(
    searching, parts, recwarn, capsys, kind
):
    searching(kind, trial_epochs=3)  # in Hyperband the best trials are continued
    assert "found in data/trained" not in capsys.readouterr().out
    tuner = searching(kind, trial_epochs=3)
    search.best(tuner, 0, len(parts.y_train))
    assert f"{len(tuner.finished())} trials are found in data/trained" in capsys.readouterr().out
    assert [str(told.message) for told in recwarn if "optimizer" in str(told.message)] == []


def test_an_interrupted_search_goes_on_where_it_was(searching, monkeypatch):
    original, calls = search.Space.fit, []

    def unplugged(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(search.Space, "fit", unplugged)
        with pytest.raises(KeyboardInterrupt):
            searching()
    assert len(searching.trainings) == 1
    found = search.trials_of(searching(), "random search")
    assert len(found) == 2 and len(searching.trainings) == 2


def test_an_interrupted_evolution_goes_on_and_comes_out_the_same(searching, monkeypatch):
    asked = {"trials": 7, "trial_epochs": 1}
    original, calls = search.Space.fit, []

    def unplugged(*args, **kwargs):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(search.Space, "fit", unplugged)
        with pytest.raises(KeyboardInterrupt):
            searching("evolution", run="cut", **asked)
    keep = [
        [(trial["values"], trial["score"], trial.get("parent")) for trial in trials]
        for trials in (
            search.trials_of(searching("evolution", run=run, **asked), "evolution")
            for run in ("cut", "whole")
        )
    ]
    assert keep[0] == keep[1] and len(searching.trainings) == 7 + 7
    assert [parent is None for _, _, parent in keep[0]] == [True, True, *[False] * 5]


def test_a_child_differs_from_its_parent_in_one_setting(searching):
    rows = search.trials_of(searching("evolution", trials=7, trial_epochs=1), "evolution")
    known = {row["trial"]: row["values"] for row in rows}
    for row in rows[2:]:
        before = known[row["parent"]]
        assert sum(before[name] != value for name, value in row["values"].items()) == 1
    assert all("tuner/" not in name for row in rows for name in row["values"])


def test_hyperband_continues_its_best_trials(searching):
    found = search.trials_of(searching("Hyperband", trial_epochs=3), "Hyperband")
    assert any(trial["start"] > 0 for trial in found) and any(
        trial["epochs"] == 1 for trial in found
    )
    assert all("tuner/" not in name for trial in found for name in trial["values"])
    count = len(searching.trainings)
    assert search.trials_of(searching("Hyperband", trial_epochs=3), "Hyperband") == found
    assert len(searching.trainings) == count


def test_searches_of_neighbouring_seeds_share_no_settings(searching):
    rates = [
        {
            trial["values"]["learning_rate"]
            for trial in search.trials_of(
                searching(trials=4, trial_epochs=1, seed=seed), "random search"
            )
        }
        for seed in range(3)
    ]
    assert all(len(found) == 4 for found in rates) and len(set.union(*rates)) == 12


def test_annealed_hyperband_learns_in_cycles_and_each_training_ends_at_rate_zero(
    searching, monkeypatch
):
    rates, original = [], search.Space.fit

    def watched(self, hp, model, *args, **kwargs):
        history = original(self, hp, model, *args, **kwargs)
        steps = -(-len(self.parts.y_train) // self.batch_size) * (
            kwargs["epochs"] - kwargs.get("initial_epoch", 0)
        )
        schedule = model.optimizer._learning_rate
        rates.append(
            (
                hp.values["learning_rate"],
                max(float(schedule(step)) for step in range(steps)),
                float(schedule(steps)),
                int(model.optimizer.iterations) - steps,
            )
        )
        return history

    monkeypatch.setattr(search.Space, "fit", watched)
    found = search.trials_of(searching("annealed Hyperband", trial_epochs=3), "annealed Hyperband")
    assert any(trial["start"] > 0 for trial in found) and len(rates) == len(found)
    for asked, highest, last, left in rates:
        assert (
            0.5 * asked < highest <= asked * 1.0001
            and last == pytest.approx(0, abs=1e-9)
            and left == 0
        )


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing():
    rates = [float(training.one_cycle(0.01, 100)(step)) for step in range(101)]
    assert (
        rates[0] == pytest.approx(0.01 / 25)
        and max(rates) == pytest.approx(0.01)
        and np.argmax(rates) == 30
        and rates[100] == pytest.approx(0, abs=1e-9)
    )
    assert all(np.diff(rates[:31]) > 0) and all(np.diff(rates[30:]) < 0)
    assert float(training.one_cycle(0.01, 1)(0)) > 0, "a training of one step learns"


@pytest.mark.parametrize("name", training.OPTIMIZERS)
def test_every_optimiser_takes_a_schedule_and_its_training_is_kept_apart(name, parts, folders):
    kinds = [training.one_cycle(0.01, 8), training.one_cycle(0.02, 8), 0.01]
    keys = []
    for rate in kinds:
        model = network()
        model.compile(
            optimizer=training.optimizer(name, rate),
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        keys.append(
            training._key(
                model, parts, (), {"seed": 0, "batch_size": 16, "epochs": 1, "setting": "none"}
            )
        )
    assert len(set(keys)) == 3


# --- the number RESULTS: these fail when a change elsewhere alters results ------------------------


def test_results_are_those_of_this_number_of_results():
    """Batches, augmentation, splits, training or evaluation gave other numbers: raise
    training.RESULTS, then write the new ones here."""
    assert training.RESULTS == 1
    rng = np.random.default_rng(7)
    x = rng.integers(0, 256, (300, 12, 12, 1)).astype("uint8")
    y = rng.integers(0, 3, 300).astype("uint8")
    x[np.arange(300), 3 * y] = 255  # a bright row tells the class
    plan = batches.Batches(x, y, 32, 5, augmentation.SETTINGS["noise"])
    plan.begin(3)
    order, coefficients = plan.order, plan.coefficients
    assert order[:5].tolist() == [273, 190, 157, 296, 156]
    assert coefficients[0, :6] == pytest.approx(
        [0.990419, -0.145060, 1.149486, 0.145060, 0.990419, -1.096512], abs=1e-4
    )
    assert float(
        augmentation.augment(x[:50], 11, **augmentation.SETTINGS["strong"]).mean()
    ) == pytest.approx(141.0890, abs=0.01)
    parts = batches.Split(x[:200], y[:200], x[200:250], y[200:250], x[250:], y[250:], "fixed")
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((12, 12, 1), dtype="uint8"),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=training.optimizer("adam", 0.01),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    metrics, _ = evaluation.evaluate(
        training.fit(model, parts, seed=0, batch_size=32, epochs=3, setting="noise"), parts
    )
    assert [metrics["train_loss"], metrics["test_loss"], metrics["temperature"]] == pytest.approx(
        [0.71392, 0.70829, 0.48669], rel=0.02
    )

"""The networks are those of the course reports: counts, map sizes, input and output. A record's
network can be built again."""

import inspect
import json

import numpy as np
import pytest

from helpers import inspection, models, results, watching
from helpers.store import paths
from helpers.store.backend import keras
from helpers.store.paths import UserError

DIGIT, HAND = (28, 28, 1), (128, 128, 1)

# network, image shape, classes, parameters. The counts with a comment are printed in the course
# reports or follow from a map size printed there; the others are worked out by hand, layer by
# layer.
COUNTS = [
    ("mnist_mlp", DIGIT, 10, (784 * 512 + 512) + (512 * 512 + 512) + (512 * 10 + 10)),
    (
        "mnist_cnn",
        DIGIT,
        10,
        (9 * 32 + 32) + (9 * 32 * 64 + 64) + (9216 * 128 + 128) + (128 * 10 + 10),
    ),
    ("mnist_first", DIGIT, 10, (9 * 32 + 32) + (13 * 13 * 32 * 10 + 10)),
    ("mnist_second_v1", DIGIT, 10, 62_250),  # given
    (
        "mnist_second_v1_normalised",
        DIGIT,
        10,
        62_250 + 4 * (32 + 32 + 64),
    ),  # four numbers a channel
    (
        "mnist_second_v2",
        DIGIT,
        10,
        (9 * 16 + 16)
        + (4 * 16 * 32 + 32)
        + (32 * 64 + 64)
        + (3 * 3 * 64 * 128 + 128)
        + (128 * 10 + 10),
    ),
    (
        "mnist_third",
        DIGIT,
        10,
        (9 * 16 + 16)
        + (9 * 16 * 32 + 32)
        + (9 * 32 * 64 + 64)
        + (64 * 64 + 64)
        + 4 * (16 + 32 + 64 + 64)
        + (5 * 5 * 64 * 128 + 128)
        + (128 * 10 + 10),
    ),  # batch normalisation: four numbers a channel
    ("mnist_third_bare", DIGIT, 10, 234_378 - 4 * (16 + 32 + 64 + 64)),
    ("mnist_second_v2_dropout_25", DIGIT, 10, 79_498),
    ("fashion_dense", DIGIT, 10, (784 * 100 + 100) + (100 * 10 + 10)),
    ("fashion_cnn_1x100", DIGIT, 10, 179_926),  # given
    (
        "fashion_cnn_1x87",
        DIGIT,
        10,
        179_926 - 13 * (1_600 + 1 + 10),
    ),  # 13 units fewer, each with 1,600 weights, a bias and 10 weights behind it
    ("fashion_cnn_1x200", DIGIT, 10, 179_926 + 100 * (1_600 + 1 + 10)),
    ("fashion_cnn_2x50", DIGIT, 10, 101_926),  # given
    ("fashion_cnn_3x75", DIGIT, 10, 151_051),  # given
    # The same convolutions end in 2 x 2 x 64 numbers; before them lie 62,250 - 34,186 parameters.
    ("mnist_second_v1_dense_0", DIGIT, 10, 28_064 + 257 * 10),
    ("mnist_second_v1_dense_64", DIGIT, 10, 28_064 + 257 * 64 + 65 * 10),
    ("mnist_second_v1_dense_256", DIGIT, 10, 28_064 + 257 * 256 + 257 * 10),
    ("emnist_first", DIGIT, 26, 2_838_746),  # given
    ("emnist_second", DIGIT, 26, 424_602),  # given
    ("emnist_third", DIGIT, 26, 851_866),  # given
    ("emnist_second", DIGIT, 47, 424_602 + 21 * 129),
    ("emnist_third", DIGIT, 47, 851_866 + 21 * 513),
    ("emnist_third_bare", DIGIT, 26, 851_866),
    ("k49_tuned", DIGIT, 49, (784 * 512 + 512) + (512 * 448 + 448) + (448 * 49 + 49)),
    ("k49_tuned_bare", DIGIT, 49, (784 * 512 + 512) + (512 * 448 + 448) + (448 * 49 + 49)),
    ("carlosnet", HAND, 6, 8_006),  # given
    ("ivannet", HAND, 6, 6_167_166),  # given
]
NETWORKS = sorted({(name, shape) for name, shape, _, _ in COUNTS})


@pytest.mark.parametrize("name, shape, classes, count", COUNTS)
def test_network_has_the_course_reports_number_of_parameters(name, shape, classes, count):
    assert getattr(models, name)(shape, classes).count_params() == count


@pytest.mark.parametrize(
    "name, shape, least",
    [
        ("carlosnet", (48, 64, 1), 86),
        ("ivannet", (28, 28, 1), 48),
        ("fashion_cnn_1x100", (8, 30, 1), 10),
        ("mnist_third", (2, 2, 1), 12),
    ],
)
def test_images_too_small_for_a_network_are_one_line(name, shape, least):
    build = getattr(models, name)
    with pytest.raises(UserError, match=f"{shape[0]} x {shape[1]} are too small for {name}: "):
        build(shape, 3)
    assert build((least, least, 1), 3).count_params()
    with pytest.raises(UserError):
        build((least - 1, least - 1, 1), 3)


def test_another_fault_of_a_network_is_not_told_as_one_of_the_images():
    def wrong(image_shape, classes):
        return models._network("wrong", image_shape, [models.layers.Dense(9, activation="relo")])

    with pytest.raises(ValueError, match="relo"):
        models._fitting(wrong)((28, 28, 1), 10)


@pytest.mark.parametrize(
    "name, whole, rates",
    [
        ("mnist_second_v2_dropout_25", "mnist_second_v2", [0.25]),
        ("emnist_third_bare", "emnist_third", []),
        ("k49_tuned_bare", "k49_tuned", []),
    ],
)
def test_a_network_with_another_dropout_is_otherwise_the_same(name, whole, rates):
    def kinds(model):
        plain = [one for one in model.layers if not isinstance(one, models.layers.Dropout)]
        return [(type(one), one.output.shape) for one in plain]

    mine, theirs = (getattr(models, one)(DIGIT, 10) for one in (name, whole))
    assert mine.name == name and kinds(mine) == kinds(theirs)
    assert [one.rate for one in mine.layers if isinstance(one, models.layers.Dropout)] == rates


def test_the_source_that_a_notebook_shows_is_the_networks_own():
    assert inspect.getsource(models.carlosnet).startswith("def carlosnet(image_shape, classes):")


def test_every_network_of_the_module_is_counted_here():
    public = {
        name
        for name, value in vars(models).items()
        if callable(value)
        and getattr(value, "__module__", "") == models.__name__
        and name[0] != "_"
    }
    assert public == {name for name, *_ in COUNTS}


@pytest.mark.parametrize(
    "name, shape, flat",
    [
        ("mnist_cnn", (12, 12, 64), 9216),
        ("mnist_second_v1", (2, 2, 64), 256),
        ("mnist_second_v2", (3, 3, 64), 576),
        ("mnist_third", (5, 5, 64), 1600),
        ("emnist_first", (13, 13, 32), 5408),
        ("emnist_second", (3, 3, 128), 1152),
        ("emnist_third", (5, 5, 64), 1600),
        ("carlosnet", (3, 3, 16), 144),
        ("ivannet", (11, 11, 80), 9680),
    ],
)
def test_last_map_has_the_size_that_the_course_report_names(name, shape, flat):
    network = getattr(models, name)(HAND if flat in (144, 9680) else DIGIT, 10)
    last = next(layer for layer in network.layers if isinstance(layer, keras.layers.Flatten))
    assert tuple(last.input.shape[1:]) == shape
    assert last.output.shape[1] == flat


@pytest.mark.parametrize("name, shape", NETWORKS)
def test_network_takes_bytes_and_gives_probabilities(name, shape):
    network = getattr(models, name)(shape, 7)
    images = np.random.default_rng(0).integers(0, 256, (2, *shape), dtype="uint8")
    probabilities = network.predict(images, verbose=0)
    assert network.inputs[0].dtype == "uint8"
    assert probabilities.shape == (2, 7)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert (probabilities >= 0).all() and not network.compiled
    scaled = keras.ops.convert_to_numpy(network.layers[0](images))
    np.testing.assert_allclose(scaled, images / 255, atol=1e-6)


def test_dropout_rates_stand_where_the_course_reports_put_them():
    def rates(name, shape=DIGIT):
        return [
            round(layer.rate, 2)
            for layer in getattr(models, name)(shape, 10).layers
            if isinstance(layer, keras.layers.Dropout)
        ]

    assert rates("mnist_mlp") == [0.2, 0.2]
    assert rates("mnist_cnn") == [0.25, 0.5]
    assert rates("mnist_third") == [0.2, 0.3, 0.35, 0.4]
    assert rates("fashion_cnn_1x100") == [0.5]
    assert all(0.2 <= rate <= 0.3 for rate in rates("k49_tuned")) and len(rates("k49_tuned")) == 2
    assert rates("mnist_first") == rates("mnist_second_v1") == rates("carlosnet", HAND) == []


def test_third_network_is_penalised_and_initialised_as_described():
    convolutions = [
        layer
        for layer in models.mnist_third(DIGIT, 10).layers
        if isinstance(layer, keras.layers.Conv2D)
    ]
    assert len(convolutions) == 4
    assert all(
        isinstance(layer.kernel_regularizer, keras.regularizers.L2) for layer in convolutions
    )
    assert all(
        isinstance(layer.kernel_initializer, keras.initializers.HeNormal) for layer in convolutions
    )


def test_layer_table_counts_multiplications_as_done_by_hand():
    rows = inspection.layer_table(models.mnist_first(DIGIT, 10))
    assert [row["layer"].split()[0] for row in rows] == [
        "Rescaling",
        "Conv2D",
        "MaxPooling2D",
        "Flatten",
        "Dense",
    ]
    assert [row["macs"] for row in rows] == [0, 26 * 26 * 32 * 3 * 3 * 1, 0, 0, 13 * 13 * 32 * 10]
    assert [row["parameters"] for row in rows] == [0, 320, 0, 0, 54_090]
    assert rows[1]["shape"] == "26 x 26 x 32" and rows[1]["layer"] == "Conv2D 32, 3x3, relu"


def test_layer_table_counts_padded_and_deeper_convolutions():
    convolutions = [
        row
        for row in inspection.layer_table(models.mnist_second_v2(DIGIT, 10))
        if row["layer"].startswith("Conv2D")
    ]
    assert [row["macs"] for row in convolutions] == [
        28 * 28 * 9 * 16,
        14 * 14 * 4 * 16 * 32,
        7 * 7 * 32 * 64,
    ]
    assert convolutions[1]["layer"] == "Conv2D 32, 2x2, same, relu"


@pytest.mark.parametrize("name, shape", NETWORKS)
def test_layer_table_adds_up_and_the_hash_names_the_network(name, shape):
    first, second = getattr(models, name)(shape, 10), getattr(models, name)(shape, 10)
    assert sum(row["parameters"] for row in inspection.layer_table(first)) == first.count_params()
    assert inspection.network_sha256(first) == inspection.network_sha256(second)
    second.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    assert inspection.network_sha256(first) == inspection.network_sha256(second), (
        "how it is trained is not what it is"
    )


def test_different_networks_have_different_hashes():
    hashes = [
        inspection.network_sha256(getattr(models, name)(shape, 10)) for name, shape in NETWORKS
    ]
    assert len(set(hashes)) == len(NETWORKS)
    assert inspection.network_sha256(models.fashion_dense(DIGIT, 11)) not in hashes


def test_a_changed_rate_or_penalty_changes_the_hash():
    def network(rate, strength):
        return keras.Sequential(
            [
                keras.layers.Input(DIGIT),
                keras.layers.Flatten(),
                keras.layers.Dropout(rate),
                keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(strength)),
            ]
        )

    hashes = {
        inspection.network_sha256(network(rate, strength))
        for rate in (0.2, 0.3)
        for strength in (1e-3, 1e-4)
    }
    assert len(hashes) == 4


COMMITTED = sorted(
    path.stem for path in (paths.ROOT / "report" / "full" / "results").glob("*.json")
)


@pytest.mark.skipif(not COMMITTED, reason="no records of the full edition yet")
def test_committed_records_come_from_the_networks_of_today():
    folder = paths.ROOT / "report" / "full" / "results"
    for run in COMMITTED:
        record = json.loads((folder / f"{run}.json").read_text(encoding="utf-8"))
        assert set(results.FIELDS) <= set(record), run
        assert record["dataset"]["kind"] in ("official", "partial", "substitute"), run
        name = record["parameters"].get("network")
        if name:
            network = getattr(models, name)(
                HAND if record["dataset"]["asked"] == "fingers" else DIGIT,
                record["dataset"]["classes"],
            )
            network = watching.with_dropout(network, record["parameters"].get("dropout", -1.0))
            assert record["network_sha256"] == inspection.network_sha256(network), run
            assert record["parameter_count"] == network.count_params(), run
            assert record["layers"] == inspection.layer_table(network), run


def kinds(model):
    return [type(layer).__name__ for layer in model.layers]


@pytest.mark.parametrize("part, layer", [("dropout", "Dropout"), ("normalisation", "BatchNorm")])
def test_a_network_without_a_part_has_all_the_others(part, layer):
    whole = models.mnist_third((28, 28, 1), 10)
    kept = [kind for kind in kinds(whole) if not kind.startswith(layer)]
    assert kinds(inspection.without(whole, part)) == kept != kinds(whole)


def test_a_network_without_its_penalty_has_none_and_the_whole_one_keeps_it():
    whole = models.mnist_third((28, 28, 1), 10)
    assert len(whole.losses) == 4 and not inspection.without(whole, "penalty").losses
    assert len(whole.losses) == 4


def test_a_network_without_nothing_is_the_same_network_with_weights_of_its_own():
    keras.utils.set_random_seed(1)
    whole = models.mnist_third((28, 28, 1), 10)
    copy = inspection.without(whole)
    assert inspection.network_sha256(copy) == inspection.network_sha256(whole)
    assert not np.array_equal(copy.get_weights()[0], whole.get_weights()[0])
    keras.utils.set_random_seed(1)
    again = inspection.without(models.mnist_third((28, 28, 1), 10))
    np.testing.assert_array_equal(copy.get_weights()[0], again.get_weights()[0])


def test_an_unknown_part_is_named():
    with pytest.raises(ValueError, match="no part 'dorpout', only normalisation, dropout, penalty"):
        inspection.without(models.mnist_third((28, 28, 1), 10), "dorpout")

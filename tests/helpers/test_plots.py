"""The figures: each draws without a warning, says which images it shows, and is not drawn again without need."""

import ast
import itertools
import json
import subprocess
import sys

import numpy as np
import pytest

from helpers import show as plots
from helpers.show import evaluation, files, pareto, training
from helpers.show.canvas import BAD, BANNER, SMALL, WIDTH, fit
from helpers.store import paths

pytestmark = pytest.mark.filterwarnings("error")  # a missing glyph is a warning

KANA = list("あいうえおかきくけこ")
STAND_IN = {"label": "STAND-IN for MNIST: drawn by this program", "kind": "stand-in"}
MNIST = {"label": "MNIST", "title": "MNIST", "kind": "official", "test": 200}
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (60, 28, 28, 1), dtype="uint8")
Y = np.arange(60) % 10
READ = np.where(np.arange(60) % 4 == 0, (Y + 3) % 10, Y)
SURE = RNG.uniform(0.3, 1, 60)


def history(epochs, lowest):
    losses = [
        0.2 + (0.05 if epoch < lowest else 0.06) * abs(epoch - lowest) for epoch in range(epochs)
    ]
    rising = list(np.linspace(0.5, 0.9, epochs))
    return {"accuracy": rising, "loss": losses, "val_accuracy": rising, "val_loss": losses}


def record(
    run="mnist-mlp", seeds=((5, 2), (4, 3)), accuracy=0.9, macs=1000, reported=0.92, **dataset
):
    return {
        "run": run,
        "dataset": {**MNIST, **dataset},
        "parameters": {"profile": "full"},
        "parameter_count": 300,
        "layers": [{"macs": macs}, {"macs": 0}],
        "reported": {"test_accuracy": reported} if reported else {},
        "seeds": [
            {
                "seed": seed,
                "history": history(epochs, lowest),
                "validation_loss": 0.2,
                "seconds": 3.0 + seed,
                "test_accuracy": accuracy + 0.01 * seed,
            }
            for seed, (epochs, lowest) in enumerate(seeds)
        ],
    }


def trial(score, search="random search", **values):
    return {"search": search, "score": score, "curve": [score / 2, score], "values": values}


RECORDS = [
    record(),
    record("mnist-cnn", accuracy=0.95, macs=90_000),
    record("fashion-dense", title="Fashion-MNIST", label="Fashion-MNIST", reported=None),
    record("k49-tuned", kind="substitute", title="Kuzushiji-Kanji", label="Kuzushiji-Kanji"),
]
TABLE = [
    {
        "network": network,
        "trained": trained,
        "images": images,
        "split": split,
        "accuracy": [0.3, 0.4],
    }
    for network, trained, images, split in itertools.product(
        ("a", "b"), ("plain", "augmented"), ("plain", "augmented"), ("train", "validation", "test")
    )
]
TRIALS = [
    trial(0.5, layers=1, rate=1e-4, units_1=None, activation="relu"),
    trial(
        0.8, "Hyperband", layers=3, rate=1e-2, units_1=64, activation="tanh", **{"tuner/epochs": 3}
    ),
]

FIGURES = {
    "samples": (plots.samples, (X, Y, KANA)),
    "mistakes": (plots.mistakes, (X, Y, READ, SURE, KANA)),
    "gallery": (plots.gallery, (X, Y, READ, SURE, KANA)),
    "augmented": (plots.augmented, (X[:5], X[:15].reshape(3, 5, 28, 28, 1))),
    "confusion": (plots.confusion, (Y, READ, KANA)),
    "reliability": (plots.reliability, (SURE.astype("float16"), READ == Y, SURE**2)),
    "embedding": (plots.embedding, (RNG.normal(size=(60, 2)), Y, KANA)),
    "filters": (plots.filters, (RNG.normal(size=(3, 3, 1, 20)),)),
    "feature_maps": (
        plots.feature_maps,
        ({"Conv2D 8": RNG.random((9, 9, 8)), "MaxPooling2D": RNG.random((4, 4, 20))},),
    ),
    "gradcam": (plots.gradcam, (X[:10], RNG.random((10, 5, 5)), [f"read {name}" for name in KANA])),
    "transformations": (
        plots.transformations,
        ({"transformations": {"none": [0.9, 1.0], "flip": 0.4}, "chance": 0.1},),
    ),
    "generalisation": (plots.generalisation, (TABLE,)),
    "trials": (plots.trials, (TRIALS,)),
    "rate": (plots.rate, (np.linspace(0.01, 0, 40), 900)),
    "balance": (plots.balance, ([5, 0, *[9] * 8], [1] * 10, KANA)),
    "pairs": (plots.pairs, (X[:8], X[8:16], SURE[:8], Y[:8], Y[1:9], KANA)),
    "distances": (plots.distances, ({"MNIST": SURE, "Fingers": SURE**2}, 0.03)),
    "doubts": (plots.doubts, (X[:3], Y[:3], Y[1:4], SURE[:3], KANA)),
    "reliabilities": (
        plots.reliabilities,
        ({f"a-run-of-a-long-name-{number}": (SURE, READ == Y, SURE**2) for number in range(7)},),
    ),
    "recalls": (
        plots.recalls,
        ({"mnist-mlp": np.linspace(0, 1, 10), "mnist-cnn": np.full(10, np.nan)}, KANA),
    ),
}


def texts(fig):
    return [text.get_text() for text in fig.findobj(lambda artist: hasattr(artist, "get_text"))]


def size(fig):
    import io

    from PIL import Image

    with Image.open(io.BytesIO(plots.png(fig))) as image:
        return image.size


@pytest.mark.parametrize("name", FIGURES)
def test_each_figure_draws_without_a_warning_at_report_width_and_announces_stand_ins(name):
    function, inputs = FIGURES[name]
    fig = function(*inputs, label=STAND_IN)
    width, height = size(fig)
    assert width == round(WIDTH * 160) and 60 < height < 9.6 * 160  # it fits a page
    assert BANNER in texts(fig) and STAND_IN["label"] in texts(fig)
    assert BANNER not in texts(function(*inputs, label="MNIST"))


@pytest.mark.parametrize(
    "function",
    [
        plots.reported_measured,
        plots.cost,
        plots.all_curves,
        lambda records: plots.cost(records, against="seconds"),
    ],
)
def test_figures_of_many_runs_name_every_data_set(function):
    fig = function(
        [
            *RECORDS,
            record("fashion-cnn", title="Fashion-MNIST", label="Fashion-MNIST"),
            record(
                "k49-search", kind="substitute", title="Kuzushiji-Kanji", label="Kuzushiji-Kanji"
            ),
        ]
    )
    size(fig)
    stamp = next(text for text in texts(fig) if "; " in text).replace("\n", " ")
    assert stamp == "MNIST; Fashion-MNIST; Kuzushiji-Kanji (substitute for the official set)"
    assert BANNER not in texts(fig)
    fake = [record("mnist-mlp", kind="stand-in", label=STAND_IN["label"]), record("mnist-cnn")]
    assert any(text.startswith(BANNER) for text in texts(function(fake)))


def test_pairs_name_a_class_that_differs_in_the_colour_of_mistakes():
    fig = plots.pairs(X[:2], X[2:4], np.array([0.01, 0.25]), [0, 1], [0, 2], KANA, label="MNIST")
    colours = {
        text.get_text(): text.get_color()
        for text in fig.findobj(lambda artist: hasattr(artist, "get_text"))
        if text.get_text()
    }
    assert colours["う"] == BAD and colours["あ"] != BAD and {"0.010", "0.250"} <= set(colours)


def test_no_doubted_label_is_said_in_words():
    assert "No label is doubted by every network." in texts(
        plots.doubts(X[:0], Y[:0], Y[:0], SURE[:0], KANA, label="MNIST")
    )


@pytest.mark.parametrize("seeds", [((5, 2),), ((1, 0),), ((5, 2), (4, 3), (7, 6))])
def test_curves_draw_for_one_seed_one_epoch_and_seeds_that_stop_at_different_epochs(seeds):
    fig = plots.curves(record(seeds=seeds))
    size(fig)
    assert "weights kept" in [text.get_text() for text in fig.legends[0].get_texts()]


def test_the_kept_epoch_is_found_by_its_validation_loss():
    seed = record(seeds=((6, 4),))["seeds"][0]
    assert training.kept_epoch(seed) == 4
    assert training.kept_epoch({**seed, "validation_loss": seed["history"]["val_loss"][5]}) == 5
    assert training.kept_epoch({**seed, "validation_loss": 0.111}) is None


@pytest.mark.parametrize("classes", [6, 10, 26, 47, 49])
def test_samples_and_confusion_draw_every_class_name_at_all_sizes(classes):
    names = [chr(0x3042 + index) for index in range(classes)]
    y = np.arange(classes * 3) % classes
    wrong = np.where(np.arange(len(y)) % 3 == 0, (y + 1) % classes, y)
    images = np.zeros((len(y), 128, 128), "uint8")
    for fig in (
        plots.samples(images, y, names, "Kuzushiji-49"),
        plots.confusion(y, wrong, names, "Kuzushiji-49"),
    ):
        size(fig)
        assert set(names) <= set(texts(fig))


def test_kanji_accents_and_bold_kana_need_no_font_of_the_machine(caplog):
    size(
        plots.samples(
            X,
            Y,
            ["蚕", "é", "ñ", "ゑ", "Ankle boot", "T-shirt/top", "ゝ", "御", "ü", "ç"],
            "Letters",
        )
    )
    size(plots.embedding(RNG.normal(size=(60, 2)), Y, KANA, "Letters"))
    assert not caplog.records  # Matplotlib logs the fonts that it misses


def test_confusion_adds_up_the_seeds_and_leaves_no_prediction_out():
    counts = evaluation.confusion_counts([0, 1, 1], [[0, 1, 0], [0, 0, 0]], 3)
    assert counts.tolist() == [[2, 0, 0], [3, 1, 0], [0, 0, 0]]


def test_classes_that_are_confused_become_neighbours():
    counts = np.eye(14, dtype="int64") * 90
    for one, other in ((0, 13), (2, 9), (5, 11)):
        counts[one, other] = counts[other, one] = 30
    order = list(evaluation.confusion_order(counts))
    assert sorted(order) == list(range(14))
    assert all(
        abs(order.index(one) - order.index(other)) == 1 for one, other in ((0, 13), (2, 9), (5, 11))
    )


def test_a_constant_classifier_and_an_absent_class_can_be_drawn():
    size(
        plots.confusion(np.arange(20) % 19, np.zeros(20, int), [str(i) for i in range(20)], "MNIST")
    )


def test_mistakes_come_most_confident_first_and_none_is_told():
    fig = plots.mistakes(X, [0, 1, 2], [1, 1, 3], [0.5, 0.99, 0.9], KANA, "MNIST")
    told = [text for text in texts(fig) if text.startswith("✗")]
    assert told == ["✗ え, 90.0 %", "✗ い, 50.0 %"]
    assert any(
        "Not a single" in text for text in texts(plots.mistakes(X, [0], [0], [0.9], KANA, "MNIST"))
    )


def test_gallery_ticks_what_is_right_and_never_rounds_up_to_certainty():
    told = texts(plots.gallery(X, [0, 1], [0, 2], [0.99999, 0.8], KANA, "MNIST"))
    assert "✓ あ, >99.9 %" in told and "✗ う, 80.0 %" in told and "true: い" in told


def test_a_stand_in_never_stands_beside_a_published_figure():
    def diamonds(**dataset):
        fig = plots.reported_measured([record(**dataset)])
        return [
            line.get_markerfacecolor() for line in fig.axes[0].lines if line.get_marker() == "D"
        ]

    assert diamonds(kind="stand-in") == []
    assert diamonds(kind="partial") == ["white"]
    assert len(diamonds()) == 1 and diamonds() != ["white"]


def test_wilson_interval_agrees_with_statsmodels_at_the_edges_too():
    from statsmodels.stats.proportion import proportion_confint

    from helpers.show.comparison import wilson

    for successes in (0, 1, 57, 100):
        assert np.allclose(
            wilson(successes, 100), proportion_confint(successes, 100, method="wilson"), atol=1e-6
        )


def test_calibration_bins_count_every_image_once():
    counts, confidence, accuracy = evaluation.calibration_bins(
        [0.0, 0.05, 1.0, 1.0], [False, True, True, False]
    )
    assert counts.sum() == 4 and counts[0] == 2 and counts[-1] == 2
    assert confidence[-1] == 1.0 and accuracy[-1] == 0.5 and accuracy[5] == 0.0


def test_the_pareto_front_holds_only_runs_that_no_other_beats():
    group = [
        record(macs=10, accuracy=0.8),
        record("mnist-a", macs=20, accuracy=0.7),
        record("mnist-b", macs=30, accuracy=0.9),
    ]
    fig = plots.cost(group)
    front = max(
        (line for line in fig.axes[0].lines if line.get_drawstyle() == "steps-post"),
        key=lambda line: len(line.get_xdata()),
    )
    assert front.get_xdata().tolist() == [10, 30]


def test_labels_of_runs_that_cost_the_same_do_not_overlap():
    fig = plots.cost(
        [record(f"mnist-run-{index}", macs=5000, accuracy=0.9 + index / 1000) for index in range(4)]
        + [record("mnist-small", macs=10, accuracy=0.8)]
    )
    notes = [text for text in fig.axes[0].texts if text.get_text()]
    from matplotlib.text import Text

    boxes = [Text.get_window_extent(note, fig.canvas.get_renderer()) for note in notes]
    assert len(boxes) == 5
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_cells_of_a_grid_give_wide_panels_a_row_of_their_own():
    assert pareto._cells([True, False, False, False]) == (
        [(0, slice(0, 2)), (1, 0), (1, 1), (2, 0)],
        3,
    )
    assert pareto._cells([False, True]) == ([(0, 0), (1, slice(0, 2))], 2)


def test_no_records_is_one_clear_line():
    with pytest.raises(paths.UserError, match="no records"):
        plots.reported_measured([])


def test_long_names_are_broken_and_cut_to_fit():
    assert fit("T-shirt/top", 0.5) == "T-shirt/\ntop"
    assert fit("Antidisestablishmentarianism", 0.5, 1).endswith("…")
    assert fit("あ", 0.1) == "あ"


def test_no_text_is_smaller_than_can_be_read_in_print():
    for function, inputs in FIGURES.values():
        fig = function(*inputs, label="MNIST")
        sizes = [
            text.get_fontsize()
            for text in fig.findobj(lambda artist: hasattr(artist, "get_fontsize"))
            if text.get_text().strip()
        ]
        assert min(sizes) >= min(SMALL, 7.2)


def test_drawing_leaves_no_setting_and_no_open_figure_behind():
    code = (
        "import sys; import matplotlib, numpy as np; from helpers import show as plots\n"
        "state = lambda: {key: matplotlib.rcParams[key] for key in matplotlib.rcParams if key != 'backend'}\n"
        "before = state()\n"
        "plots.png(plots.samples(np.zeros((9, 28, 28), 'uint8'), np.arange(9), list('あいうえおかきくけ'), 'MNIST'))\n"
        "assert 'matplotlib.pyplot' not in sys.modules and state() == before"
    )
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, check=True)


def test_asking_whether_a_figure_is_up_to_date_needs_no_matplotlib(tmp_path):
    plots.update(tmp_path / "a.png", plots.curves, record())
    (tmp_path / "record.json").write_text(json.dumps(record()))
    code = (
        "import json, sys; from helpers import show as plots\n"
        f"value = json.load(open({str(tmp_path / 'record.json')!r}))\n"
        f"assert plots.update({str(tmp_path / 'a.png')!r}, plots.curves, value) is False\n"
        "assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, check=True)


def test_a_figure_shows_itself_in_jupyterlab_once():
    from IPython.core.formatters import DisplayFormatter

    data, metadata = DisplayFormatter().format(plots.curves(record()))
    assert set(data) == {"text/plain", "image/png"} and metadata["image/png"]["width"] > 500


def test_the_same_inputs_give_the_same_bytes_and_no_date(tmp_path):
    for name in ("a", "b"):
        plots.save(plots.trials(TRIALS, MNIST), tmp_path / f"{name}.png", "f" * 64)
    content = (tmp_path / "a.png").read_bytes()
    assert content == (tmp_path / "b.png").read_bytes()
    assert b"Software" not in content and b"tIME" not in content
    assert plots.drawn(tmp_path / "a.png") == "f" * 64


def test_saving_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / "new folder" / "a.png"
    plots.save(plots.curves(record()), path, "first")
    before = path.read_bytes()

    def fail(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(paths.UserError):
        plots.save(plots.curves(record()), path, "second")
    assert path.read_bytes() == before and [file.name for file in path.parent.iterdir()] == [
        "a.png"
    ]


def test_a_damaged_missing_or_foreign_file_counts_as_not_drawn(tmp_path):
    path = tmp_path / "a.png"
    assert plots.drawn(path) is None
    plots.save(plots.curves(record()), path, "key")
    content = path.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for damaged in (content[:-20], content[:30], b"", b"not a picture", bytes(flipped)):
        path.write_bytes(damaged)
        assert plots.drawn(path) is None
    plots.save(plots.curves(record()), path)
    assert plots.drawn(path) is None


def test_update_draws_only_what_changed(tmp_path):
    path = tmp_path / "a.png"
    assert plots.update(path, plots.samples, X, Y, KANA, label=MNIST, per_class=1) is True
    assert plots.update(path, plots.samples, X, Y, KANA, label=MNIST, per_class=1) is False
    assert plots.update(path, plots.samples, X, Y, KANA, label=STAND_IN, per_class=1) is True
    assert plots.update(path, plots.samples, X, Y, KANA, label=STAND_IN, per_class=2) is True
    path.write_bytes(path.read_bytes()[:-1])
    assert plots.update(path, plots.samples, X, Y, KANA, label=STAND_IN, per_class=2) is True


def test_the_fingerprint_changes_with_every_kind_of_input():
    inputs = [
        X,
        X[:-1],
        X.reshape(60, 784),
        X.astype("int16"),
        record(),
        record(accuracy=0.91),
        [1, 2],
        [[1], 2],
        [12],
        ["1", 2],
        None,
        {"a": 1},
        {"b": 1},
        {"a": None},
    ]
    assert len({plots.fingerprint(plots.samples, value) for value in inputs}) == len(inputs)
    assert plots.fingerprint(plots.samples, X) != plots.fingerprint(plots.gallery, X)
    with pytest.raises(TypeError):
        plots.fingerprint(plots.samples, object())


def test_the_fingerprint_does_not_depend_on_where_a_number_was_kept():
    value = record()
    assert plots.fingerprint(plots.curves, value) == plots.fingerprint(
        plots.curves, json.loads(json.dumps(value))
    )
    assert plots.fingerprint(plots.curves, np.float64(0.5), (1, 2)) == plots.fingerprint(
        plots.curves, 0.5, [1, 2]
    )


@pytest.mark.parametrize(
    "old, new, changes",
    [
        ('"""Draws."""', '"""Draws, in other words."""', False),
        ("return inner(x)", "return inner(x)  # a remark", False),
        ("return inner(x)", "return inner( x )", False),
        ("UNUSED = 1", "UNUSED = 2", False),
        ("return inner(x)", "return inner(x) + 1", True),
        ("return x * FACTOR", "return x - FACTOR", True),
        ("FACTOR = 3", "FACTOR = 4", True),
    ],
)
def test_the_fingerprint_follows_the_code_and_not_its_prose(
    tmp_path, monkeypatch, old, new, changes
):
    source = (
        'FACTOR = 3\nUNUSED = 1\n\n\ndef outer(x):\n    """Draws."""\n    return inner(x)\n\n\n'
        "def inner(x):\n    return x * FACTOR\n"
    )
    assert source.count(old) == 1
    monkeypatch.syspath_prepend(str(tmp_path))

    def key(text):
        (tmp_path / "drawing.py").write_text(text)
        files._definitions.cache_clear()
        files._code.cache_clear()
        sys.modules.pop("drawing", None)
        import drawing

        return plots.fingerprint(drawing.outer, 1)

    assert (key(source) != key(source.replace(old, new))) is changes
    files._definitions.cache_clear()
    files._code.cache_clear()
    sys.modules.pop("drawing", None)


def test_the_fingerprint_reaches_the_shared_style():
    found = json.loads(files._code("helpers.show.training", "curves"))
    names = {ast.literal_eval(entry)[0][1] for entry in found}
    assert {
        "curves",
        "_over_seeds",
        "kept_epoch",
        "new_figure",
        "style",
        "STYLE",
        "SMALL",
        "stamp",
    } <= names
    assert "confusion" not in names

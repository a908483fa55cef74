"""The figures: each draws without a warning, says which images it shows, and is not drawn again
without need."""

import inspect
import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from helpers import augmentation, explain, results, show
from helpers.show import answers as of_answers
from helpers.show import drawn as files_of
from helpers.show.canvas import BAD, BANNER, SMALL, WIDTH, canvas, encoded, fit, spell, style
from helpers.show.chance import chances, deviations
from helpers.show.exhibits import size
from helpers.show.training import kept_epoch
from helpers.show.words import set_names
from helpers.store import files, paths

pytestmark = pytest.mark.filterwarnings("error")  # a missing glyph is a warning

KANA = list("あいうえおかきくけ") + ["$x_1$ <b>"]
STAND_IN = {"label": "STAND-IN for MNIST: drawn by this program", "kind": "stand-in"}
RNG = np.random.default_rng(0)
X = RNG.integers(0, 256, (60, 28, 28, 1), dtype="uint8")
Y = (np.arange(60) % 10).astype("uint8")
READ = np.where(np.arange(60) % 4 == 0, (Y + 3) % 10, Y).astype("uint8")
SURE = np.log(RNG.uniform(0.3, 1, 60)).astype("float16")
ANSWERS = {
    "y_true": Y,
    "y_pred": np.stack([READ, Y]),
    "logp_pred": np.stack([SURE, SURE]),
    "logp_pred_scaled": np.stack([SURE, SURE]) / 2,
}
PAIRS = {"y_true": Y, "nearest": np.arange(60)[::-1], "distance": np.linspace(0.01, 0.3, 60)}


CHANGED = [
    {"network": network, "change": change, "amount": amount, "accuracy": 0.9 - amount / 100}
    for network in ("dense", "convolution")
    for change, amounts in augmentation.CHANGES.items()
    for amount in amounts
]
VARIED = [
    {"variant": name, "train_accuracy": 0.99, "test_accuracy": accuracy, "nll": 0.1}
    for name, accuracy in {
        "all": 0.95,
        "none": 0.9,
        "all but dropout": 0.94,
        "only dropout": 0.93,
        "all but penalty": 0.95,
        "only penalty": 0.89,
    }.items()
]
SIZED = [
    {"images": images, "test_accuracy": 1 - 2 * images**-0.3 * (1.01, 0.99)[images % 3 == 0]}
    for images in (600, 1200, 2400, 4800, 9600)
]


def history(epochs, lowest):
    losses = [0.2 + (0.05 if e < lowest else 0.06) * abs(e - lowest) for e in range(epochs)]
    rising = list(np.linspace(0.5, 0.9, epochs))
    return {"accuracy": rising, "loss": losses, "val_accuracy": rising, "val_loss": losses}


def trial(search, curve, **values):
    values = {"activation": "relu", "layers": 1, "learning_rate": 1e-3, **values}
    return {"search": search, "score": max(curve), "curve": curve, "values": values}


def seed(number, epochs, lowest, accuracy=0.9):
    chosen = {"promised": 0.001, "promised_low": 0.0, "promised_high": 0.002}
    chosen |= {"kept": -0.001, "kept_low": -0.002, "kept_high": 0.001}
    return {
        "seed": number,
        "history": history(epochs, lowest),
        "validation_loss": 0.2,
        "test_accuracy": accuracy + 0.01 * number,
        "train_accuracy": 1.0,
        "single": {"flip_horizontal": 0.8, "shift": 0.4},
        "transformed": {"test": 0.3},
        "selection": chosen,
        "points": [*CHANGED, *SIZED, *VARIED],
        "other_split": accuracy - 0.01 * number,
        "quarters": {"dense": [0.9, 0.8, 0.7, 0.5], "convolution": [0.9, 0.9, 0.8, 0.7]},
        "trials": [
            trial("random search", [0.4, 0.6 + number / 10], learning_rate=1e-4),
            trial("Hyperband", [0.5], learning_rate=1e-2, activation="tanh"),
        ],
    }


def record(run="mnist-mlp", epochs=((5, 2), (5, 3)), accuracy=0.9, macs=1000, **dataset):
    label = {"label": "MNIST", "title": "MNIST", "kind": "official", "test": 200, "sha256": "a"}
    return {
        "run": run,
        "dataset": {**label, "class_names": KANA, "classes": 10, **dataset},
        "parameters": {"profile": "full", "side": 14, "twin_distance": 0.03},
        "layers": [layer("Rescaling", "28 x 28 x 1"), layer(f"Conv2D {macs}", "26 x 26 x 8", macs)],
        "parameter_count": 1234,
        "reported": {"test_accuracy": 0.92},
        "seeds": [seed(n, count, lowest, accuracy) for n, (count, lowest) in enumerate(epochs)],
        "extra": {
            "chance": 0.1,
            "balance": {"train": [5, 0, *[9] * 8], "test": [1] * 10},
            "parts": ["dropout", "penalty"],
            "parameters": {"dense": 100, "convolution": 50},
            "neighbour_quarters": [1.0, 0.9, 0.7, 0.4],
            "twins": {"14": 0.9, "28": 0.5},
            "doubted": [{"label": 1, "answer": 2, "confidence": 0.9999}] * 3,
        },
    }


def layer(words, shape, macs=0):
    return {"layer": words, "shape": shape, "parameters": 0, "macs": macs}


def step(part="width", alone=True, low=-0.01, **dataset):
    """A step as `claims.steps` tells it; without `low` of a single pair of trainings."""
    ends = {"low": low, "high": low and 0.03, "low_images": low, "high_images": low and 0.04}
    told = {"part": part, "what": f"A longer {part} " * 5, "alone": alone, "difference": 0.01}
    return {**told, **ends, "n": 3, "before": record(**dataset), "after": record(**dataset)}


def data(**meta):
    meta = {"sha256": "a", "label": "MNIST", "kind": "official", **meta}
    names = {"class_names": KANA, "classes": 10}
    return SimpleNamespace(x_train=X[..., 0], y_train=Y, meta=meta, **names, **meta)


def network(seed=0):
    weights = [RNG.normal(size=(3, 3, 1, 20)), RNG.normal(size=20)]
    layers = [SimpleNamespace(get_weights=lambda: weights)]
    return SimpleNamespace(model=SimpleNamespace(layers=layers), seed=seed)


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """A folder of its own, predictions for any run, and a network that need not be trained."""
    monkeypatch.setattr(paths, "OUT", tmp_path)
    monkeypatch.setattr(results, "predictions", lambda profile, run: ANSWERS)
    monkeypatch.setattr(explain, "gradcam", lambda model, x, y: RNG.random((len(x), 5, 5)))
    monkeypatch.setattr(explain, "plane", lambda model, x: (RNG.normal(size=(len(x), 2)), 0.5))
    maps = {"convolution 1": RNG.random((9, 9, 8)), "convolution 2": RNG.random((4, 4, 20))}
    monkeypatch.setattr(explain, "feature_maps", lambda model, image: maps)
    return tmp_path / "figures" / "full"


def many(**dataset):
    """Records of two data sets."""
    return {
        "mnist-mlp": record(**dataset),
        "mnist-cnn": record("mnist-cnn", accuracy=0.95, macs=90_000, **dataset),
        "k49-tuned": record("k49-tuned", **{"title": "K49", "label": "K49", **dataset}),
    }


def schedule(step):
    return 0.01 * step


def of(field, **dataset):
    """A record of one study, whose points have a field of this name."""
    content = record(**dataset)
    for one in content["seeds"]:
        one["points"] = [dict(point) for point in one["points"] if field in point]
    return content


TESTS = SimpleNamespace(x_test=X, y_test=Y)
FIGURES = {
    "samples": lambda **d: show.samples(data(**d), "mnist-mlp", "full"),
    "augmented": lambda **d: show.augmented(data(**d), "mnist-mlp", "full", X[:5], [X[5:10]] * 3),
    "rate": lambda **d: show.rate("mnist-mlp", "full", data(**d), schedule, 40),
    "curves": lambda **d: show.curves(record(**d)),
    "confusion": lambda **d: show.confusion(record(**d), ANSWERS),
    "reliability": lambda **d: show.reliability(record(**d), ANSWERS),
    "mistakes": lambda **d: show.mistakes(record(**d), ANSWERS, X),
    "gallery": lambda **d: show.gallery(record(**d), ANSWERS, X),
    "attention": lambda **d: show.attention(record(**d), ANSWERS, X, network()),
    "feature-maps": lambda **d: show.feature_maps(record(**d), X, network()),
    "plane": lambda **d: show.plane(record(**d), X, Y, network()),
    "filters": lambda **d: show.filters(record(**d), network()),
    "transformations": lambda **d: show.transformations(record(**d)),
    "trials": lambda **d: show.trials(record(**d)),
    "balance": lambda **d: show.balance(record(**d)),
    "closest": lambda **d: show.pairs(record(**d), PAIRS, X, Y, X, closest=True),
    "neighbours": lambda **d: show.pairs(record(**d), PAIRS, X, Y, X),
    "doubts": lambda **d: show.doubts(record(**d), X[:3]),
    "watched": lambda **d: show.watched(record(**d)),
    "changes": lambda **d: show.changes(data(**d), TESTS, "mnist-mlp", "full"),
    "robustness": lambda **d: show.robustness(of("change", **d)),
    "shifted": lambda **d: show.shifted(of("change", **d)),
    "how-many": lambda **d: show.how_many(of("images", **d)),
    "bought": lambda **d: show.bought(of("variant", **d)),
    "moves": lambda **d: show.moves(record(**d)),
}
OF_IMAGES = set(
    "samples augmented mistakes gallery attention feature-maps filters closest neighbours doubts "
    "changes".split()
)
OVERALL = {
    "curves": lambda **d: show.all_curves(many(**d), "full"),
    "reported-measured": lambda **d: show.reported_measured(many(**d), "full"),
    "cost": lambda **d: show.cost(many(**d), "full"),
    "gaps-mnist-2019": lambda **d: show.gaps(many(**d), "full"),
    "schemes": lambda **d: show.schemes(many(**d), "full"),
    "forest": lambda **d: show.forest(
        [step(**d), step("dropout", False, **d), step(low=None, **d)], "full"
    ),
    "distances": lambda **d: show.distances(
        many(**d), dict.fromkeys(many(), PAIRS["distance"]), "full"
    ),
    "recalls-a": lambda **d: show.recalls({"mnist-mlp": record(**d)}, "full")[0],
    "reliabilities": lambda **d: show.reliabilities(many(**d), "full"),
}


def texts(body):
    fig = body.get_figure(root=True)
    return [t.get_text() for t in fig.findobj(lambda a: hasattr(a, "get_text")) if t.get_text()]


def drawing(shown, monkeypatch):
    """What a figure draws, caught on its way to a file."""
    drawn = []
    monkeypatch.setattr(files_of, "encoded", lambda body: drawn.append(body) or encoded(body))
    shown()
    return drawn[0]


@pytest.mark.parametrize("name", FIGURES)
def test_a_runs_figure_draws_at_report_width_and_is_kept_with_its_caption(name, place):
    shown = FIGURES[name]()
    assert shown.label == f"fig-mnist-mlp-{name}" and "{" not in shown.caption
    kind, inch = ("png", 160) if name in OF_IMAGES else ("svg", 72)
    assert shown.path == place / "mnist-mlp" / f"{name}.{kind}"
    across, down = size(shown.content)
    assert across == round(WIDTH * inch) and 60 < down < 9.6 * inch
    entry = files.load_json(place / "mnist-mlp" / "index.json")[name]
    assert entry["caption"] == shown.caption and entry["sha256"] == files.sha256(shown.path)
    assert show.kept(record(), name).caption == shown.caption


@pytest.mark.parametrize("name", OVERALL)
def test_a_figure_of_many_runs_is_kept_under_all(name, place):
    shown = OVERALL[name]()
    assert shown.label == f"fig-{name}" and shown.path == place / "all" / f"{name}.svg"


@pytest.mark.parametrize("name, shown", [*FIGURES.items(), *OVERALL.items()])
def test_every_figure_names_its_data_and_announces_stand_ins(name, shown, monkeypatch):
    body = drawing(lambda: shown(**STAND_IN), monkeypatch)
    assert BANNER in texts(body) and STAND_IN["label"] in texts(body)
    with style():
        ordinary = drawing(shown, monkeypatch)
    assert not any(text.startswith(BANNER) for text in texts(ordinary))
    assert any("MNIST" in text for text in texts(ordinary))
    assert not any("mathdefault" in text for text in texts(ordinary)), "powers of ten in plain"
    sizes = ordinary.get_figure(root=True).findobj(
        lambda a: hasattr(a, "get_fontsize") and a.get_text().strip()
    )
    assert min(text.get_fontsize() for text in sizes) >= SMALL


def test_a_banner_names_the_data_that_are_drawn_among_others():
    with style():
        body = canvas(1, [STAND_IN, {"label": "MNIST", "kind": "official"}])
    assert any(text.startswith(f"{BANNER}:\nSTAND-IN") or BANNER in text for text in texts(body))
    assert any("; MNIST" in text for text in texts(body))


# --- what a figure says ---------------------------------------------------------------------------


def test_pairs_name_a_class_that_differs_in_the_colour_of_mistakes(monkeypatch):
    body = drawing(FIGURES["closest"], monkeypatch)
    labels = [axes.xaxis.label for axes in body.axes[-8:]]
    assert labels[0].get_text() == f"{KANA[9][:2]}{KANA[9][2:]}\n0.010"
    assert {label.get_color() for label in labels} == {BAD}, "no class is the same here"


@pytest.mark.parametrize("closest", [True, False])
@pytest.mark.parametrize("count", [1, 3, 8])
def test_pairs_of_a_small_test_set_are_as_many_as_it_has(monkeypatch, count, closest):
    few = {name: values[..., :count] for name, values in PAIRS.items()}
    body = drawing(lambda: show.pairs(record(), few, X, Y, X[:count], closest), monkeypatch)
    assert len(body.axes) == 3 * count


def test_mistakes_come_most_confident_first_and_none_is_told(monkeypatch):
    sure = {**ANSWERS, "logp_pred": np.log(np.tile(np.linspace(0.3, 0.99996, 60), (2, 1)))}
    body = drawing(lambda: show.mistakes(record(), sure, X), monkeypatch)
    verdicts = [axes.get_xlabel() for axes in body.axes if axes.get_xlabel()]
    assert verdicts[0].startswith("✗") and len(verdicts) == 15
    assert verdicts[0].endswith(f"true: {KANA[Y[56]]}")
    right = {**ANSWERS, "y_pred": np.stack([Y, Y])}
    told = show.mistakes(record(), right, X)
    assert "not a single test image" in told.markdown
    assert show.kept(record(), "mistakes") is None, "those of an earlier record are gone"


def test_gallery_ticks_what_is_right_and_never_rounds_up_to_certainty(monkeypatch):
    sure = {**ANSWERS, "logp_pred": np.full((2, 60), -0.00001)}
    body = drawing(lambda: show.gallery(record(), sure, X), monkeypatch)
    labels = [axes.get_xlabel() for axes in body.axes]
    assert labels[0] == "✗ え\n>99.9 %\ntrue: あ" and labels[1].startswith("✓ い")


def test_no_doubted_label_is_said_in_words():
    assert "no label is doubted" in show.doubts(record(), X[:0]).markdown


@pytest.mark.parametrize("epochs", [((5, 2),), ((1, 0),), ((5, 2), (4, 3), (7, 6))])
def test_curves_draw_for_one_seed_one_epoch_and_seeds_that_stop_early(epochs):
    assert ("thin line" in show.curves(record(epochs=epochs)).caption) == (len(epochs) > 1)


def test_the_kept_epoch_is_found_by_its_validation_loss():
    one = seed(0, 6, 4)
    assert kept_epoch(one) == 4
    assert kept_epoch({**one, "validation_loss": one["history"]["val_loss"][5]}) == 5
    assert kept_epoch({**one, "validation_loss": 0.111}) is None


@pytest.mark.parametrize("classes", [6, 10, 26, 49])
def test_samples_and_confusion_draw_every_class_name_at_all_sizes(classes, monkeypatch):
    names = [chr(0x3042 + index) for index in range(classes)]
    y = (np.arange(classes * 3) % classes).astype("uint8")
    wrong = np.where(np.arange(len(y)) % 3 == 0, (y + 1) % classes, y)
    some = {"class_names": names, "classes": classes}
    images = data()
    images.__dict__.update(some, x_train=np.zeros((len(y), 128, 128), "uint8"), y_train=y)
    answers = {"y_true": y, "y_pred": wrong[None]}
    for shown in (
        lambda: show.samples(images, "mnist-mlp", "full"),
        lambda: show.confusion(record(**some), answers),
    ):
        assert set(names) <= set(texts(drawing(shown, monkeypatch)))


def test_kana_accents_and_formulas_need_no_font_of_the_machine(caplog):
    names = ["蚕", "é", "ñ", "ゑ", "Ankle boot", "T-shirt/top", "ゝ", "御", "$x^2$", "ç"]
    show.confusion(record(class_names=names, title="御 データ", label="御"), ANSWERS)
    show.reported_measured({"a": record(title="御 データ")}, "full")
    assert not caplog.records  # Matplotlib logs the fonts that it misses


def test_classes_that_are_confused_become_neighbours():
    percent = np.eye(14) * 75.0
    swapped = ((0, 13), (2, 9), (5, 11))
    for one, other in swapped:
        percent[one, other] = percent[other, one] = 25
    order = list(of_answers.confusion_order(percent))
    assert sorted(order) == list(range(14))
    assert all(abs(order.index(one) - order.index(other)) == 1 for one, other in swapped)


def test_a_constant_classifier_and_an_absent_class_can_be_drawn():
    names = {"class_names": [str(n) for n in range(20)], "classes": 20}
    show.confusion(record(**names), {"y_true": np.arange(20) % 19, "y_pred": np.zeros(20, int)})


def diamonds(**dataset):
    with style():
        body = show.reported_measured.__wrapped__({"a": record(**dataset)}, "full")
    return [line.get_markerfacecolor() for line in body.axes[0].lines if line.get_marker() == "D"]


def test_a_stand_in_never_stands_beside_a_published_figure(monkeypatch):
    assert diamonds(kind="stand-in") == []
    assert diamonds(kind="partial") == ["white"]
    assert len(diamonds()) == 1 and diamonds() != ["white"]
    for kind, words in (("official", {"reported"}), ("stand-in", set())):
        body = drawing(lambda kind=kind: show.watched(record(kind=kind)), monkeypatch)
        labels = {text for axes in body.axes for text in axes.get_legend_handles_labels()[1]}
        assert {text for text in labels if text.startswith("reported")} == words


def test_calibration_bins_count_every_image_once():
    answers = {"y_true": np.array([1, 0, 0, 1]), "y_pred": np.array([[0, 0, 0, 0]])}
    answers["logp_pred"] = np.log([[1e-6, 0.05, 1.0, 1.0]])
    bins = of_answers.calibration_bins(answers, "logp_pred")
    assert bins["images"].to_dict() == {1: 2, 15: 2}
    assert bins.loc[15, "confidence"] == 1 and bins.loc[15, "right"] == 0.5


def test_in_the_figure_of_cost_what_no_cheaper_run_beats_is_joined_and_named(monkeypatch):
    group = {"a": record("mnist-cnn", macs=30, accuracy=0.9), "b": record(macs=10, accuracy=0.8)}
    group["c"] = record("mnist-first", macs=20, accuracy=0.7)
    axes = drawing(lambda: show.cost(group, "full"), monkeypatch).axes[0]
    others, front = axes.lines
    assert list(others.get_xdata()) == [20] and list(front.get_xdata()) == [10, 30]
    assert {"dense network", "two convolutions"} <= {text.get_text() for text in axes.texts}
    searches = {run: record(run) for run in ("k49-a", "k49-b")}
    for search in searches.values():
        search["seeds"][0]["parameter_count"] = 1
    assert show.cost(searches, "full").markdown == "", "a search has no network of its own"
    assert show.schemes(searches, "full").markdown == ""


def test_errors_are_told_as_accuracies_and_a_perfect_one_has_its_place(monkeypatch):
    body = drawing(OVERALL["gaps-mnist-2019"], monkeypatch)
    ticks = [text.get_text() for text in body.axes[0].get_xticklabels()]
    assert ticks[-1] == "100" and "95" in ticks
    assert body.axes[0].get_xlim()[1] < 0 < body.axes[0].get_xlim()[0]


@pytest.mark.parametrize(
    "verdict, told",
    [("within", "✓"), ("above", "▲"), ("below", "▼"), ("part of the data", "○"), (None, "")],
)
def test_a_verdict_has_its_sign_at_the_margin_and_the_caption_explains_it(verdict, told):
    verdicts = {"mnist-mlp": verdict} if verdict else None
    with style():
        body = show.reported_measured.__wrapped__({"mnist-mlp": record()}, "full", verdicts)
    assert [text.get_text() for text in body.axes[0].texts if text.get_position()[0] > 1] == [told]
    assert told in show.reported_measured.__doc__


def test_a_legend_names_each_thing_once_as_it_is_in_the_drawing(monkeypatch):
    body = drawing(FIGURES["curves"], monkeypatch)
    named = [text.get_text() for text in body.legends[0].get_texts()]
    assert named == ["training", "validation", "weights kept"], "at the lowest loss"
    assert not any(axes.get_legend() for axes in body.axes)


def test_runs_without_a_reported_accuracy_do_not_stand_beside_any():
    silent = {"mnist-mlp": {**record(), "reported": {"seconds": 3.0}}}
    assert show.reported_measured(silent, "full").markdown == ""


def test_networks_that_differ_in_the_number_of_classes_share_a_row(monkeypatch):
    end = [[layer(f"Dense {n}, softmax", str(n))] for n in (10, 47)]
    bars = [layer("BatchNormalization", "26 x 26 x 8"), layer("Flatten", "5408")]
    two = {
        run: {**record(run), "layers": [*record()["layers"], *bars, *last]}
        for run, last in zip(("mnist-mlp", "mnist-cnn"), end)
    }
    shown = texts(drawing(lambda: show.schemes(two, "full"), monkeypatch))
    assert "dense network" in shown and "two convolutions" not in shown
    assert {"28", "26", "8", "10", "1,234"} <= set(shown) and "5408" not in shown


@pytest.mark.parametrize("epochs, classes", [(((5, 2),), 2), (((5, 2), (5, 3), (4, 2)), 100)])
def test_one_seed_and_a_hundred_classes_are_no_hindrance(epochs, classes):
    names = {"class_names": [str(n) for n in range(classes)], "classes": classes}
    some = {run: record(run, epochs=epochs, **names) for run in ("mnist-mlp", "mnist-cnn")}
    for shown in (show.reported_measured, show.cost, show.gaps, show.schemes):
        assert shown(some, "full").path.exists()
        if shown is not show.cost:
            assert shown({"mnist-mlp": record(epochs=epochs)}, "full").path.exists()


def test_a_figure_is_drawn_again_when_a_run_gets_another_name(count, monkeypatch):
    for name in ("dense network", "another name", "another name"):
        monkeypatch.setattr(files_of.runs, "title", lambda run, name=name: name)
        assert show.curves(record()).caption.startswith(name)
    assert count() == 2


def test_a_study_is_drawn_again_when_one_of_its_networks_gets_another_name(count, monkeypatch):
    for name in ("one", "another", "another"):
        monkeypatch.setattr(files_of.runs, "network_title", lambda word, name=name: name + word)
        FIGURES["shifted"]()
    assert count() == 2


def test_each_search_has_a_best_so_far_of_its_own(monkeypatch):
    body = drawing(FIGURES["trials"], monkeypatch)
    axes = body.get_figure(root=True).axes[-1]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        *("random search", "Hyperband")
    ]
    means = [list(line.get_ydata()) for line in axes.lines if len(line.get_ydata())]
    assert means == [pytest.approx([40, 65]), pytest.approx([50])], "means of two seeds"


def test_no_records_draw_nothing():
    for shown in (
        *(show.reported_measured, show.cost, show.all_curves, show.reliabilities),
        *(show.gaps, show.schemes),
    ):
        assert shown({}, "full").markdown == ""
    assert show.forest([], "full").markdown == ""
    assert show.distances({}, {}, "full").markdown == "" and show.recalls({}, "full") == []


def test_long_names_are_broken_and_cut_to_fit():
    assert fit("T-shirt/top", 0.5) == "T-shirt/\ntop"
    assert fit("Antidisestablishmentarianism", 0.5, 1).endswith("…")
    assert fit("あ", 0.1) == "あ"


# --- when it is drawn -----------------------------------------------------------------------------


@pytest.fixture
def count(monkeypatch):
    """How often something has been drawn."""
    drawn = []
    monkeypatch.setattr(files_of, "encoded", lambda body: drawn.append(1) or encoded(body))
    return lambda: len(drawn)


def test_a_figure_is_drawn_when_it_is_missing_damaged_or_from_other_numbers(place, count):
    path = place / "mnist-mlp" / "curves.svg"
    show.curves(record())
    show.curves(json.loads(json.dumps({**record(), "figures": ["x"], "finished": "now"})))
    assert count() == 1, "a record that was saved is the same"
    show.curves(record(accuracy=0.91))
    assert count() == 2
    for content in (path.read_bytes()[:-1], b"not a picture", b""):
        path.write_bytes(content)
        show.curves(record(accuracy=0.91))
    assert count() == 5
    path.unlink()
    show.curves(record(accuracy=0.91))
    (path.with_name("index.json")).write_text("[1")
    show.curves(record(accuracy=0.91))
    assert count() == 7


def test_a_figure_is_drawn_again_when_the_code_that_draws_changes(count, monkeypatch, tmp_path):
    show.curves(record())
    moved = tmp_path / "other.py"
    moved.write_text(files_of.CODE[0].read_text())
    monkeypatch.setattr(files_of, "CODE", [moved, *files_of.CODE[1:]])
    show.curves(record())
    assert count() == 1, "a module by another name is the same code"
    moved.write_text(moved.read_text() + "x = 1\n")
    show.curves(record())
    assert count() == 2


def test_arrays_tell_figures_apart(count):
    for answers in (ANSWERS, {**ANSWERS, "y_pred": ANSWERS["y_pred"][::-1]}, ANSWERS):
        show.confusion(record(), answers)
        show.confusion(record(), answers)
    assert count() == 3


def test_what_a_network_of_a_later_seed_would_draw_is_shown_as_it_was_kept(count):
    assert show.filters(record(), network(seed=3)).markdown == ""
    first = show.filters(record(), network())
    assert show.filters(record(), network(seed=3)).content == first.content and count() == 1


def test_a_figure_that_was_listed_by_an_older_version_is_kept(place):
    show.curves(record())
    index = place / "mnist-mlp" / "index.json"
    index.write_text(json.dumps({"curves": "A caption.", "gone": "Another.", "odd": 3}))
    assert show.kept(record(), "curves").caption == "A caption."
    assert show.kept(record(), "gone") is None and show.kept(record(), "odd") is None
    (place / "mnist-mlp" / "curves.svg").write_bytes(b"no picture")
    assert show.kept(record(), "curves") is None


def test_saving_a_figure_is_atomic(place, monkeypatch):
    show.curves(record())
    before = (place / "mnist-mlp" / "curves.svg").read_bytes()

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(paths.UserError):
        show.curves(record(accuracy=0.5))
    assert (place / "mnist-mlp" / "curves.svg").read_bytes() == before
    assert {p.name for p in (place / "mnist-mlp").iterdir()} == {"curves.svg", "index.json"}


def test_the_same_inputs_give_the_same_bytes_and_no_date_or_program():
    first = show.trials(record()).content
    show.trials(record(accuracy=0.5))
    assert show.trials(record()).content == first
    assert first.startswith(b"<svg") and b"Matplotlib" not in first and b"metadata" not in first
    trained = network()
    first = show.filters(record(), trained).content
    assert show.filters(record(), trained).content == first
    assert b"Software" not in first and b"tIME" not in first and b"tEXt" not in first


def test_a_chart_says_what_it_shows_in_nothing_but_shapes():
    import xml.etree.ElementTree as tree

    chart = show.confusion(record(class_names=["<script>alert(1)</script>", *KANA[1:]]), ANSWERS)
    names = {element.tag.split("}")[1] for element in tree.fromstring(chart.content).iter()}
    assert names <= set("svg g defs style path use clipPath rect".split())


def test_committed_figures_are_those_of_this_code():
    """Else the first report in every clone draws them again, which takes 40 s."""
    record = files.load_json(paths.REPORT_SOURCE / "full" / "results" / "mnist-mlp.json")
    index = files.load_json(paths.ROOT / "figures" / "full" / "mnist-mlp" / "index.json")
    told = "`make report PROFILE=full` draws what has changed; commit figures/full"
    assert index["curves"]["key"] == files_of._key({"record": record}), told


def test_a_chart_of_an_older_version_is_shown_until_it_is_drawn_again(place):
    old = show.filters(record(), network()).content
    files.save_bytes(place / "mnist-mlp" / "curves.png", old)
    entry = {"caption": "A caption.", "key": "of old", "sha256": files.bytes_sha256(old)}
    files.save_json(place / "mnist-mlp" / "index.json", {"curves": entry})
    assert show.kept(record(), "curves").content == old
    assert results.figures(record())[0]["path"].endswith("curves.png")
    assert show.curves(record()).path.suffix == ".svg"
    assert show.kept(record(), "curves").path.suffix == ".svg"
    assert not (place / "mnist-mlp" / "curves.png").exists()
    assert results.figures(record())[0]["path"].endswith("curves.svg")


def test_drawing_leaves_no_setting_and_no_open_figure_behind(tmp_path):
    code = (
        "import matplotlib, numpy as np\n"
        "from helpers.show.canvas import canvas, encoded, style\n"
        "matplotlib.rcParams['font.size'] = 30\n"
        "state = lambda: {key: matplotlib.rcParams._get(key) for key in matplotlib.rcParams}\n"
        "before = state()\n"
        "with style():\n"
        "    body = canvas(1, {'label': 'あ', 'kind': 'official'})\n"
        "    body.subplots().plot([1, 2])\n"
        "    assert matplotlib.rcParams['font.size'] == 7.5\n"
        "    encoded(body)\n"
        "import matplotlib.pyplot\n"
        "assert state() == before and not matplotlib.pyplot.get_fignums()"
    )
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, check=True)


def test_asking_whether_a_figure_is_up_to_date_needs_no_matplotlib(tmp_path):
    show.curves(record())
    (tmp_path / "record.json").write_text(json.dumps(record()))
    code = (
        "import json, sys; from pathlib import Path; from helpers import show\n"
        "from helpers.store import paths\n"
        f"paths.OUT = Path({str(tmp_path)!r})\n"
        "show.curves(json.loads((paths.OUT / 'record.json').read_text()))\n"
        "assert 'matplotlib' not in sys.modules and 'seaborn' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=paths.ROOT, check=True)


def test_a_figure_shows_itself_in_jupyterlab_once():
    from IPython.core.formatters import DisplayFormatter

    shown = show.curves(record())
    forms, _ = DisplayFormatter().format(shown)
    assert set(forms) == {"text/plain", "text/html", "text/markdown"}
    assert 'src="data:image/svg+xml;base64,' in forms["text/html"]


@pytest.mark.parametrize("sign", ["亿", "한", "म", "🤖"])
def test_a_sign_that_no_font_has_is_drawn_as_its_code_point_and_said(folders, sign):
    names = [sign, *KANA[1:]]
    one = {"mnist-mlp": record(class_names=names, label=sign)}
    shown = [show.balance(one["mnist-mlp"]), show.confusion(one["mnist-mlp"], ANSWERS)]
    for figure in shown:
        assert figure.caption.endswith("stand as their code points.")
    assert spell(f"a{sign}b\nか") == f"a U+{ord(sign):04X}b\nか".replace(" ", "")
    assert "code points" not in show.balance(record("mnist-cnn")).caption


def test_data_sets_are_told_apart_by_their_arrays_and_not_by_their_titles(folders):
    files.save_bytes(paths.results("full") / "mnist-mlp.npz", files.npz(**ANSWERS))
    files.save_bytes(paths.results("full") / "mnist-cnn.npz", files.npz(**ANSWERS))
    sets = [
        {"classes": 10, "sha256": "0a"},
        {"classes": 4, "class_names": KANA[:4], "sha256": "0b"},
    ]
    for title, names in (
        ("MNIST", ["fig-recalls-0a", "fig-recalls-0b"]),
        ("Буквы", ["fig-recalls-0a", "fig-recalls-0b"]),
    ):
        about = [{"label": title, "title": title, **one} for one in sets]
        both = {run: record(run, **one) for run, one in zip(("mnist-mlp", "mnist-cnn"), about)}
        assert [figure.label for figure in show.recalls(both, "full")] == names
        assert set_names(both.values()) == {"0a": f"{title} (0a)", "0b": f"{title} (0b)"}
        assert show.cost(both, "full").markdown == "", "no set has two runs"


@pytest.mark.parametrize("run", ["Мой_run", "a_b", "A-b", "수"])
def test_a_run_of_any_name_has_a_label_of_its_own(folders, run):
    assert show.balance(record(run)).label not in ("fig-a-b-balance", "fig--balance")


# --- studies --------------------------------------------------------------------------------------


def test_a_law_is_fitted_to_the_small_parts_and_judged_on_the_large_ones(monkeypatch):
    caption = show.how_many(of("images")).caption
    assert "It holds 4 of 4." in caption, "two seeds of two large parts"
    assert "leave 81 % of the errors" in caption, "2 ** -0.3"
    body = drawing(lambda: show.how_many(of("images", test=201)), monkeypatch)
    kinds = [type(artist).__name__ for artist in body.get_figure(root=True).findobj()]
    assert kinds.count("FillBetweenPolyCollection") == 1, "the band"


@pytest.mark.parametrize("parts", [1, 2, 3])
def test_too_few_parts_promise_nothing_and_are_shown(parts):
    content = of("images")
    for one in content["seeds"]:
        one["points"] = one["points"][:parts]
    shown = show.how_many(content)
    assert shown.path.exists() and "law fitted" in shown.caption and "holds" not in shown.caption


def test_a_training_without_a_single_mistake_has_its_place_on_the_axis():
    content = of("images")
    content["seeds"][0]["points"][-1]["test_accuracy"] = 1.0
    assert "It holds 3 of 4." in show.how_many(content).caption


def test_twins_are_told_at_each_size_and_no_study_tells_none():
    table = show.twins({"robust-mnist": record()})
    assert table.rows[0][:2] == ("MNIST", "28") and table.rows[0][2:] == (
        "90.0 %",
        "50.0 %",
        "50.0 %",
    )
    assert show.twins({})._markdown() == ""


def test_four_kinds_of_chance_are_told_apart():
    content = record(accuracy=0.8)
    found = deviations(content, chances(content)[0])
    assert list(found.index) == [
        "another seed",
        "another split",
        "other test images",
        "another of the last epochs",
    ]
    assert found.loc["another seed", "n"] == found.loc["another split", "n"] == 2
    spread = 100 * np.std([0.8, 0.81], ddof=1)
    assert found.loc["another seed", "deviation"] == pytest.approx(spread)
    binomial = 100 * (0.805 * 0.195 / 200) ** 0.5
    assert found.loc["other test images", "deviation"] == pytest.approx(binomial)


def test_what_small_trainings_promise_is_kept_or_not():
    content = of("images")
    inside = show.promised(content)
    assert inside[1] == sum(inside) > 0, "the errors of these points follow a law"
    for one in content["seeds"]:
        one["points"] = [*one["points"][:-1], {**one["points"][-1], "test_accuracy": 0.5}]
    assert show.promised(content) == (0, inside[1] - 2, 2)
    for one in content["seeds"]:
        one["points"] = one["points"][-1:]
    assert show.promised(content) == (0, 0, 0)


def gains(content):
    """Where the figure draws each part: (part, how) to points of test accuracy."""
    axes, drawn = inspect.unwrap(show.bought)(content)[0].axes[0], {}
    for line in axes.lines:
        if line.get_label() in ("beside all others", "alone"):
            row = content["extra"]["parts"][round(float(line.get_ydata()[0]))]
            drawn[row, line.get_label()] = float(line.get_xdata()[0])
    return drawn


def test_a_part_is_judged_beside_all_others_and_alone_seed_by_seed():
    wanted = {("dropout", "beside all others"): 1, ("dropout", "alone"): 3}
    wanted |= {("penalty", "beside all others"): 0, ("penalty", "alone"): -1}
    assert gains(of("variant")) == pytest.approx(wanted)
    content = of("variant")
    content["seeds"][1]["points"][0] = {**content["seeds"][1]["points"][0], "test_accuracy": 0.97}
    assert gains(content)["dropout", "beside all others"] == pytest.approx(2)


def test_variants_stand_best_first_and_their_gap_is_training_minus_test():
    table = show.variants(of("variant"))
    assert [row[0] for row in table.rows][:2] == ["all", "all but penalty"]
    assert table.rows[-1][0] == "only penalty" and table.rows[0][3] == "4.00 ± 0.00"


def test_of_one_training_only_what_one_training_knows_is_told():
    content = record(epochs=((5, 2),))
    found = deviations(content, chances(content)[0])["deviation"]
    assert set(found.dropna().index) == {"other test images", "another of the last epochs"}
    assert show.moves(content).path.exists()

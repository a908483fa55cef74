"""Every exercise of every notebook, done as a student would: what to set and what to type is taken
from its Markdown, on few drawn images. What an answer claims is asserted where it is no chance."""

import ast
import contextlib
import json
import linecache
import re
import textwrap
from dataclasses import dataclass, field

import numpy as np
import pytest
from conftest import eagerly

from helpers import runs
from helpers.show import chance
from helpers.store import paths

pytestmark = pytest.mark.slow

NOTEBOOKS = {path.stem[:2]: path for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))}
FEW = {"train_images": 1000, "validation_images": 300, "test_images": 500}
SIZES = {  # a notebook's parameters here, where they are not its defaults
    "01": {**FEW, "epochs": 3},
    "02": {**FEW, "epochs": 2},
    "03": {**FEW, "epochs": 2},
    "04": {"train_images": 240, "validation_images": 60, "test_images": 120, "epochs": 1},
    "05": {**FEW, "trials": 2, "trial_epochs": 3},
    "06": {**FEW, "epochs": 6, "folds": 2, "repeats": 1, "judged_images": 1200},
    "07": {"train_images": 1000, "test_images": 2000, "epochs": 3},
    "08": {**FEW},
    "09": {**FEW, "train_images": 300, "epochs": 1, "deep": 0, "kinds": "plain vgg"},
    "10": {**FEW, "train_images": 300, "repeats": 4, "trial_epochs": 1},
    "11": {**FEW, "left_out": ""},
    "12": {},
    "13": {"train_images": 200, "validation_images": 50, "test_images": 100, "epochs": 1},
    "14": {**FEW, "epochs": 2, "halvings": 4},
    "15": {**FEW, "epochs": 2, "test_images": 200},
    "16": {**FEW, "epochs": 2, "seeds": 2},
}
FEW_STEPS = ("09", "10", "13")  # those whose trainings are a handful of steps
NEEDED = {"14": "show.how_many", "06": "show.pairs"}  # figure cells that an answer speaks of


@dataclass
class Exercise:
    """One exercise with its answer: `blocks`, the code in it; `settings`, what `name = value` in
    its running text gives the notebook's parameters."""

    text: str
    blocks: list = field(init=False)
    settings: dict = field(init=False)

    def __post_init__(self):
        found = re.findall(r"^ *```python\n(.*?)^ *```$", self.text, re.M | re.S)
        self.blocks = [textwrap.dedent(block) for block in found]
        given = re.findall(r"`(\w+) = ([^`\n]+)`", self.text)
        self.settings = {name: ast.literal_eval(value) for name, value in given}


def code_cells(number):
    content = json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            yield "".join(cell["source"]), cell["metadata"].get("tags", [])


def exercises(number):
    """The exercises of a notebook, a dict from "1", "2", ..."""
    content = json.loads(NOTEBOOKS[number].read_text(encoding="utf-8"))
    texts = ["".join(cell["source"]) for cell in content["cells"]]
    (text,) = [text.split("**Exercises**")[1] for text in texts if "**Exercises**" in text]
    parts = re.split(r"^(\d)\. ", text, flags=re.M)
    return {place: Exercise(text) for place, text in zip(parts[1::2], parts[2::2])}


def execute(source, space):
    """Run a cell as a kernel does; the value of its last line, if that is an expression."""
    name = f"<exercise {len(linecache.cache)}>"
    linecache.cache[name] = len(source), None, source.splitlines(True), name  # inspect.getsource
    tree, last = ast.parse(source), None
    if isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    exec(compile(tree, name, "exec"), space)
    return eval(compile(last, name, "eval"), space) if last else None


def executed(number, given, insert=None):
    """What a notebook leaves behind, without its figures; `insert` is (code, the beginning of the
    cell before which it goes)."""
    space = {"__name__": "__main__"}
    for source, tags in code_cells(number):
        if "figure" in tags and not source.startswith(("model = ", NEEDED.get(number, "model"))):
            continue
        if insert and source.startswith(insert[1]):
            space["inserted"] = execute(insert[0], space)
        execute(source, space)
        if "parameters" in tags:
            assert set(given) <= set(space), "an exercise sets a parameter that is there"
            space |= given
    return space


@pytest.fixture(scope="module")
def opened():
    """A function that gives what a notebook leaves behind; each is executed once."""
    held = {}

    def space(number):
        if number not in held:
            held[number] = executed(number, SIZES[number])
        return held[number]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA", "stand-in")
        yield space


class Work:
    """A student at one exercise: the notebook's names in `space`, executed with small sizes."""

    def __init__(self, number, place, opened):
        self.number, self.exercise, self.opened = number, exercises(number)[place], opened

    @property
    def space(self):
        return self.opened(self.number)

    def type(self, place=0):
        """Type a code block of the exercise into a new cell; what the cell shows."""
        return execute(self.exercise.blocks[place], self.space)

    def restarted(self, insert=None, **given):
        """The notebook from its first cell with the exercise's settings, and with these."""
        given = {**SIZES[self.number], **self.exercise.settings, **given}
        return executed(self.number, given, insert)


@pytest.fixture
def work(request, opened):
    """The exercise that the test's name gives; what was typed is forgotten afterwards."""
    number, place = re.match(r"test_(\d\d)_(\d)_", request.node.name).groups()
    student = Work(number, place, opened)
    with eagerly() if number in FEW_STEPS else contextlib.nullcontext():
        space = student.space
        before = dict(space)
        yield student
    space.clear()
    space.update(before)


def first(space):
    """The first seed of a record."""
    return space["record"]["seeds"][0]


def test_every_exercise_has_a_test_and_every_test_an_exercise():
    there = {f"{number}_{place}" for number in NOTEBOOKS for place in exercises(number)}
    tests = [re.match(r"test_(\d\d_\d)_", name) for name in globals()]
    assert {match[1] for match in tests if match} == there
    count = {number: text.count("<details>") for number, text in map(all_of, NOTEBOOKS)}
    assert {number: len(exercises(number)) for number in NOTEBOOKS} == count


def all_of(number):
    return number, NOTEBOOKS[number].read_text(encoding="utf-8")


def test_what_a_student_is_told_to_set_is_a_parameter():
    for number in NOTEBOOKS:
        (cell,) = [source for source, tags in code_cells(number) if "parameters" in tags]
        for exercise in exercises(number).values():
            for name, value in exercise.settings.items():
                assert re.search(rf"^{name} = ", cell, re.M), f"{number}: {name} = {value}"


# --- 01: a dense network --------------------------------------------------------------------------


def test_01_1_twenty_epochs(work):
    assert work.exercise.settings == {"epochs": 20}
    space = work.restarted()
    best = execute(work.exercise.blocks[0], space)
    history = first(space)["history"]
    assert len(history["loss"]) == 20
    assert history["val_loss"][best - 1] == min(history["val_loss"])
    # The training loss goes on towards zero, and leaves the validation loss behind.
    assert history["loss"][-1] < 0.2 * history["loss"][2] < 0.5 * history["val_loss"][-1]


def test_01_2_without_dropout(work, capsys):
    work.type()
    shown, space = capsys.readouterr().out, work.space
    assert all(part in shown for part in ("train", "validation", "test"))
    kept = [layer.rate for layer in space["model"].layers if hasattr(layer, "rate")]
    taken = [layer.rate for layer in space["plain"].model.layers if hasattr(layer, "rate")]
    assert min(kept) > 0 and taken == [0.0] * len(kept)
    curves = zip(space["plain"].history["accuracy"], first(space)["history"]["accuracy"])
    assert all(without > with_dropout for without, with_dropout in curves)


def test_01_3_shifted_digits(work):
    accuracy, space = work.type(), work.space
    assert accuracy < first(space)["test_accuracy"] - 0.04
    np.testing.assert_array_equal(space["shifted"][:, :, 2:], space["parts"].x_test[:, :, :-2])
    with pytest.raises(Exception, match="x_test") as refused:
        execute("parts.x_test = shifted", space)
    assert type(refused.value).__name__ in work.exercise.text


# --- 02: a convolutional network ------------------------------------------------------------------


def test_02_1_counted_by_hand(work):
    layers = work.space["record"]["layers"]
    [row] = [row for row in layers if "11 x 11 x 64" in row["shape"].replace("×", "x")]
    for count in (row["parameters"], row["macs"]):
        assert f"{count:,}" in work.exercise.text


def test_02_2_shifted_clothes(work):
    work.type()
    space = work.space
    (plain, moved), (dense, dense_moved) = map(
        space["accuracies"], (space["model"], space["dense"])
    )
    assert plain == first(space)["test_accuracy"] and space["dense"].name == "fashion_dense"
    assert moved < plain - 0.02 and dense_moved < dense - 0.02


def test_02_3_strides_for_pooling(work):
    work.type()
    space = work.space
    kinds = [type(layer).__name__ for layer in space["strided"].model.layers]
    assert "MaxPooling2D" not in kinds and kinds.count("Conv2D") == 4
    assert space["strided"].model.count_params() > space["model"].count_params()
    assert space["strided"].model.output_shape == space["model"].output_shape
    assert space["metrics"]["test_accuracy"] > 0.3


# --- 03: regularisation ---------------------------------------------------------------------------


def test_03_1_early_stopping(work):
    assert work.exercise.settings == {"stop_patience": 2, "epochs": 30}
    space = work.restarted(learning_rate=0.005)  # so that few epochs are enough
    stopped, best = execute(work.exercise.blocks[0], space)
    assert stopped == best + 2 < 30
    assert first(space)["validation_loss"] == pytest.approx(
        first(space)["history"]["val_loss"][best - 1], abs=1e-3
    )


def test_03_2_without_dropout(work):
    work.type()
    with_dropout, without = work.space["trained"][0], work.space["plain"]
    assert without.history["loss"][-1] < with_dropout.history["loss"][-1]
    assert len(without.history["val_loss"]) == with_dropout.epochs


def test_03_3_temperatures(work, capsys):
    work.space["epochs"] = 12
    execute(exercises("03")["2"].blocks[0], work.space)
    capsys.readouterr()
    work.space["model"] = work.space["plain"].model  # which has had time to be sure of itself
    work.type()
    words = capsys.readouterr().out.split()
    assert words[0::2] == ["train", "validation"]
    learnt, held_out = map(float, words[1::2])
    assert learnt < held_out


# --- 04: augmentation -----------------------------------------------------------------------------


def test_04_1_trained_on_transformed_images(work):
    assert work.exercise.settings == {"augmentation": "strong", "epochs": 18}
    assert runs.notebook_parameters(NOTEBOOKS["04"].stem)["epochs"] * 3 == 18
    space = work.restarted(epochs=SIZES["04"]["epochs"])
    table = first(space)["transformed"]
    assert set(table) == {"train", "validation", "test"}
    pairs = zip(work.space["model"].get_weights(), space["model"].get_weights())
    assert any((plain != transformed).any() for plain, transformed in pairs)


def test_04_2_the_nearest_neighbour_of_hands(work):
    accuracies = work.type()
    assert accuracies["plain"] > accuracies["transformed"] + 0.3


def test_04_3_a_six_turned_by_half_is_a_nine(work, opened):
    space = opened("01")
    parts, nearest = space["parts"], space["evaluation"].nearest_neighbour
    sixes = parts.x_test[parts.y_test == 6]

    def nines(images):
        return (nearest(parts.x_train, parts.y_train, images) == 9).mean()

    assert nines(sixes) < 0.2 and nines(np.rot90(sixes, 2, axes=(1, 2))) > 0.5


# --- 05: hyper-parameters -------------------------------------------------------------------------


def test_05_1_without_the_worst_activation(work):
    build = next(source for source, _ in code_cells("05") if source.startswith("def build"))
    with_it, without = re.findall(r'`(\["relu".*?\])`', work.exercise.text)
    assert build.count(with_it) == 1
    assert set(ast.literal_eval(with_it)) - set(ast.literal_eval(without)) == {"softmax"}
    execute(build.replace(with_it, without), work.space)
    below = [source for source, tags in code_cells("05") if not tags]
    for source in below[below.index(build) + 1 : -1]:
        execute(source, work.space)
    trials = first(work.space)["trials"]
    assert trials and all(trial["values"]["activation"] != "softmax" for trial in trials)


def test_05_2_a_logarithmic_scale(work):
    evenly, by_ratio = work.type()
    assert evenly == pytest.approx(10 / 11, abs=0.02) and by_ratio == pytest.approx(0.5, abs=0.02)


def test_05_3_how_much_of_the_best_is_luck(work):
    assert work.exercise.settings == {"trial_epochs": 10}
    spread, best_of_ten = work.type()
    assert len(work.space["curve"]) == SIZES["05"]["trial_epochs"] and 0 < spread < 0.2
    assert best_of_ten == pytest.approx(1.5, abs=0.1) and "1.5 s" in work.exercise.text


# --- 06: the data ---------------------------------------------------------------------------------


def test_06_1_hands(work):
    given = work.exercise.settings
    assert given["dataset"] == "fingers" and given["run"] == "audit-fingers"
    sizes = {**SIZES["04"], "validation_images": 400, "judged_images": 120}
    space = work.restarted(**sizes)
    assert first(space)["test_accuracy"] > 0.6
    assert np.median(space["distance"]) < np.median(work.space["distance"])


def test_06_2_other_limits_of_twins(work):
    shares = work.type()
    assert list(shares.values()) == sorted(shares.values()) and len(shares) == 3
    assert work.space["twin_distance"] in shares


def test_06_3_wrong_labels(work):
    space = work.restarted(insert=(work.exercise.blocks[0], "trained, answers, confidences"))
    assert (space["labels"][space["wrong"]] != space["right"]).all()
    found, named = execute(work.exercise.blocks[1], space)
    assert found < 20 and named > 0.4  # a minority, though the networks name most
    judged = [space[name] for name in ("labels", "answers", "confidences")]
    assert np.isin(space["wrong"], space["audit"].doubted(*judged, 0.2)).sum() > found + 5


# --- 07: as the course report did -----------------------------------------------------------------


def test_07_1_fewer_images_to_choose_by(work):
    assert work.exercise.settings == {"test_images": 500}
    few, many = work.restarted(test_images=100), work.space
    assert first(few)["selection"]["optimism"] > first(many)["selection"]["optimism"]


def test_07_2_the_more_candidates_the_more_flattery(work):
    from helpers import protocol

    right = np.random.default_rng(0).random((20, 500)) < 0.9  # no candidate is better than another
    optimism = [protocol.selection(right[:candidates])["optimism"] for candidates in (2, 20)]
    assert 0 < optimism[0] < optimism[1] - 0.005


def test_07_3_the_least_loss_of_a_mistake(work):
    least, of_mistakes = work.type()
    assert f"{least:.3f}" in work.exercise.text.split("<details>")[1]
    assert of_mistakes >= np.log(2)


# --- 08: a short schedule -------------------------------------------------------------------------


def test_08_1_too_high_a_peak(work):
    usual = work.space["peak_learning_rate"]
    assert work.exercise.settings == {"peak_learning_rate": pytest.approx(10 * usual)}
    space = work.restarted()
    assert first(space)["history"]["loss"][0] > first(work.space)["history"]["loss"][0]


def test_08_2_one_epoch(work):
    assert work.exercise.settings == {"epochs": 1}

    def gap(space):
        return first(space)["train_accuracy"] - first(space)["test_accuracy"]

    assert gap(work.restarted()) < gap(work.space)


def test_08_3_batches_twice_as_large(work):
    settings, usual = work.exercise.settings, work.space
    assert settings["batch_size"] == 2 * usual["batch_size"]
    assert settings["peak_learning_rate"] == 2 * usual["peak_learning_rate"]
    larger = work.restarted(peak_learning_rate=usual["peak_learning_rate"])
    assert larger["steps"] == pytest.approx(usual["steps"] / 2, abs=larger["epochs"])
    assert first(larger)["history"]["loss"][0] > first(usual)["history"]["loss"][0]


# --- 09 to 11: beyond the five --------------------------------------------------------------------


def test_09_1_a_majority_of_three_that_err_independently(work):
    majority, alone = work.type()
    assert majority == pytest.approx(alone**3 + 3 * alone**2 * (1 - alone))
    for share, told in ((0.8, "89.6"), (0.9, "97.2")):
        assert f"{100 * (share**3 + 3 * share**2 * (1 - share)):.1f}" == told
        assert told in work.exercise.text


def test_09_2_one_network_under_two_names(work):
    seed = first(work.restarted())
    names = [row["name"] for row in seed["members"]]
    assert names == ["plain", "soft vote", "stacking"] and seed["pairs"] == []
    assert seed["members"][0]["accuracy"] == seed["members"][1]["accuracy"]


def test_10_1_luck_of_a_winner(work):
    seen, other = work.type()
    assert seen == work.space["evidence"].last[:, 0].max() and 0 < other < 1


def test_10_2_parents(work):
    assert [name is None for name in work.type()] == [True, False, False]


def test_11_1_two_networks_and_ten_thousand_images(work):
    one, other = work.type()
    assert one[1] > other[0], "the intervals overlap"
    assert (one[1] - one[0]) / 2 == pytest.approx(0.0012, abs=0.0001)


def test_11_2_mirrored_digits(work):
    changed = first(work.restarted())
    assert changed["test_accuracy"] < first(work.space)["test_accuracy"]


# --- 12: try it -----------------------------------------------------------------------------------


def test_12_1_shifted_before_a_network_without_convolutions(work, capsys):
    work.type()
    dense = work.restarted()
    execute(work.exercise.blocks[0], dense)
    right, of_dense = (np.mean(space["named"] == space["labels"]) for space in (work.space, dense))
    assert dense["model"].count_params() == 79_510 and not dense["convolves"]
    assert of_dense < right - 0.2 and right < 0.8
    assert capsys.readouterr().out.count("Without the training images") == 1, "none are here"


def test_12_2_letters_before_a_network_for_digits(work):
    answers = work.type()
    assert len(answers) == 26 and {answer.best[0][0] for answer in answers} <= set("0123456789")
    assert sum(answer.best[0][1] > 0.9 for answer in answers) >= 5
    assert answers["ABCDEFGHIJKLMNO".index("O")].best[0][0] == "0"


def test_12_3_the_temperature_changes_no_answer(work):
    sure, right = work.type()
    plain, softer = sure.values()
    assert plain > softer > right


# --- 13: parts ------------------------------------------------------------------------------------


def test_13_1_three_trainings_of_each(work):
    assert work.exercise.settings == {"seeds": 3}
    record = work.restarted(seeds=2)["record"]  # 24 trainings show what 36 would
    seeds = {one["seed"]: {row["variant"] for row in one["points"]} for one in record["seeds"]}
    assert list(seeds) == [0, 1] and all(len(variants) == 12 for variants in seeds.values())
    assert "2 paired seeds" in work.space["show"].bought(record).caption


def test_13_2_what_the_parts_weigh(work, capsys):
    work.type()
    counts = [int(line.split()[-1]) for line in capsys.readouterr().out.splitlines()]
    assert counts[0] == counts[1] == counts[2] == counts[3] + 704
    assert "704" in work.exercise.text


# --- 14: how many images --------------------------------------------------------------------------


def test_14_1_the_slope_of_the_line(work):
    slope, times = work.type()
    assert slope < 0 and times == pytest.approx(2 ** (-1 / slope))
    for power, words in ((0.25, "sixteen"), (0.35, "seven")):
        number = {"sixteen": 16, "seven": 7}[words]
        assert words in work.exercise.text and round(2 ** (1 / power)) == number


def test_14_2_as_many_steps_with_few_images(work):
    usual = runs.notebook_parameters(NOTEBOOKS["14"].stem)
    given = work.exercise.settings
    assert given["train_images"] == usual["train_images"] // 2 ** usual["halvings"]
    assert given["epochs"] == usual["epochs"] * 2 ** usual["halvings"]
    space = work.restarted(train_images=62, epochs=16 * SIZES["14"]["epochs"])
    assert [row["images"] for row in space["points"][0]] == [62]
    smallest = work.space["points"][0][-1]
    assert smallest["images"] == 62
    assert space["points"][0][0]["test_accuracy"] > smallest["test_accuracy"] + 0.05


# --- 15: changed images ---------------------------------------------------------------------------


def test_15_1_taught_to_expect_noise(work):
    given = work.exercise.settings
    assert given == {"networks": "fashion_dense fashion_cnn_1x100+noise"}
    space = work.restarted()
    assert space["names"] == given["networks"].split()
    same = {row["network"] for row in space["points"][0]}
    assert same == set(space["names"]) == set(space["record"]["extra"]["parameters"])
    taught, usual = (one["trained"][1].model.get_weights() for one in (space, work.space))
    assert any((a != b).any() for a, b in zip(taught, usual))


def test_15_2_clothes_upside_down(work):
    space = work.space
    upside_down = space["parts"].x_test[:, ::-1]
    logp = space["evaluation"].log_probabilities(space["trained"][1].model, upside_down)
    accuracy = space["evaluation"].accuracy(logp, space["parts"].y_test)
    assert accuracy < space["points"][0][0]["accuracy"]


# --- 16: what moves a number ----------------------------------------------------------------------


def groups(space):
    """The accuracies around their means, by what was changed."""
    frame, _ = chance.chances(space["record"])
    return {what: some["moved"] for what, some in frame.groupby("what")}


def test_16_1_one_epoch(work):
    late = "another of the last epochs"
    assert groups(work.space)[late].std() > 0 == groups(work.restarted())[late].std()


def test_16_2_a_quarter_of_the_test_images(work):
    shown = [work.space, work.restarted(test_images=FEW["test_images"] // 4)]
    records = [space["record"] for space in shown]
    found = [chance.deviations(record, chance.chances(record)[0]) for record in records]
    wide = [deviations.loc["other test images", "deviation"] for deviations in found]
    assert wide[1] / wide[0] == pytest.approx(2, rel=0.2)

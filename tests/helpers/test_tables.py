"""The tables of a run: what the record holds, in words for people."""

import copy
import json

import numpy as np
import pytest

from helpers import results, runs, show
from helpers.show import words
from helpers.store import paths

SPACE = {"activation": "relu", "initializer": "he_uniform", "layers": 2, "learning_rate": 0.001}
AUDIT = {
    "parameters": {"side": 14},
    "run": "audit-mnist",
    "seeds": [{"test_accuracy": 0.9, "balanced_accuracy": 0.88}],
    "dataset": {"title": "MNIST", "label": "MNIST", "test": 1000},
    "extra": {
        "duplicates": {"across": 3},
        "twins": [0, 1],
        "few_shot": {"10": [0.5, 0.6], "50": [0.7, 0.7]},
        "judged": 2000,
        "doubted_count": 10,
    },
}


def committed(run):
    """A record of the committed edition, free to be changed."""
    return copy.deepcopy(results.load("full", run))


@pytest.fixture(autouse=True)
def edition(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)


def shown(table):
    return json.dumps(table._repr_mimebundle_(), ensure_ascii=False)


def test_numbers_in_words():
    record = {"seeds": [{"a": 0.98}, {"a": 0.99}]}
    assert words.share(record, "a") == "98.50 ± 0.71 %"
    assert words.share({"seeds": [{"a": 0.98}]}, "a", 1) == "98.0 %"
    assert words.value(record, "a") == "0.9850 ± 0.0071"
    told = [words.counted(number, "label") for number in (0, 1, 2000)]
    assert told == ["no labels", "1 label", "2,000 labels"]


def test_metrics_are_means_and_deviations_over_seeds():
    record = committed("mnist-mlp")
    table = show.metrics(record)
    assert table.head == ["Images", "Number", "Accuracy", "Loss"]
    assert table.rows[0][:2] == ("train", "54,000")
    accuracies = [100 * seed["test_accuracy"] for seed in record["seeds"]]
    told = f"{np.mean(accuracies):.2f} ± {np.std(accuracies, ddof=1):.2f} %"
    assert table.rows[2][2] == told and f"over {len(accuracies)} seeds" in table.note
    assert told in (paths.ROOT / "README.md").read_text(encoding="utf-8")
    one = committed("mnist-mlp")
    del one["seeds"][1:]
    assert show.metrics(one).note == "One seed."


def test_a_stand_in_says_so_on_tables():
    record = committed("mnist-mlp-course")
    record["dataset"] |= {"label": "STAND-IN for MNIST: drawn by this program", "kind": "stand-in"}
    assert "STAND-IN" in shown(show.metrics(record))
    assert "STAND-IN" in shown(show.layers(record))
    figures = show.training_figures({"mnist-mlp-course": record})
    assert "STAND-IN" in shown(figures)
    assert "reported" not in [row[1] for row in figures.rows], "it stands beside no published one"


def test_layers_end_in_their_sum():
    table = show.layers(committed("mnist-cnn"))
    assert table.rows[1] == ("Conv2D 32, 3x3, relu", "26 x 26 x 32", "320", "194,688")
    assert table.rows[-1] == ("all", "", "1,199,882", "11,992,448")


def test_a_network_is_shown_as_the_record_will_have_it():
    from helpers import models

    model = models.mnist_cnn((28, 28, 1), 10)
    assert show.network(model).rows == show.layers(committed("mnist-cnn")).rows


def test_generalisation_ends_in_the_two_lines_to_beat():
    record = committed("fingers-carlosnet-augmented")
    rows = show.generalisation(record).rows
    test = [seed["transformed"]["test"] for seed in record["seeds"]]
    moved = f"{100 * np.mean(test):.1f} ± {100 * np.std(test, ddof=1):.1f} %"
    assert rows[2] == ("test", words.share(record, "test_accuracy", 1), moved)
    assert [row[1:] for row in rows[3:]] == [("100.0 %", "21.4 %"), ("16.7 %", "16.7 %")]


def test_trials_are_those_of_the_first_seed_best_first():
    values = {**SPACE, "units_1": 64, "units_2": 32, "units_3": 512}
    trial = {"search": "Hyperband", "values": values, "score": 0.8, "epochs": 2, "start": 0}
    trials = [trial, {**trial, "score": 0.9, "start": 2}]
    seeds = [{"seed": 0, "trials": trials}, {"seed": 1, "trials": []}]
    table = show.trial_table({"run": "k49-search", "seeds": seeds, "dataset": {"label": "K49"}})
    assert "seed 0, one of 2" in table.caption
    assert [row[-2:] for row in table.rows] == [("2 to 4", "90.00 %"), ("2", "80.00 %")]
    assert table.rows[0][1] == "64, 32", "a third layer's units were drawn and not used"


def test_audits_have_a_row_a_data_set_and_say_so_where_there_is_none():
    table = show.audit({"audit-mnist": AUDIT})
    assert table.head[3:5] == ["10 a class", "50 a class"]
    assert table.rows[0][:4] == ("MNIST", "3", "0.1 %", "55.0 ± 7.1")
    assert table.rows[0][5:] == ("90.00", "88.00", "10 of 2,000")
    assert "averaged down to 14 pixels a side" in table.note
    assert show.audit({}).rows == [] and "No audit" in show.audit({}).note


def test_training_figures_are_measured_in_two_ways_beside_the_reported_one():
    rows = show.training_figures({"mnist-mlp-course": committed("mnist-mlp-course")}).rows
    assert [row[1] for row in rows] == ["averaged over the last epoch", "final weights", "reported"]
    assert rows[2][2:] == ("99.88 %", "0.00382")
    assert show.training_figures({}).rows == []


def test_a_run_stands_beside_its_other_or_beside_dashes(monkeypatch):
    record = committed("mnist-mlp-fast")
    rows = show.beside(record).rows
    assert [row[0] for row in rows] == ["mnist-mlp-fast", "mnist-mlp"]
    assert rows[1][5] == words.share(committed("mnist-mlp"), "test_accuracy")
    record["parameters"]["profile"] = "nowhere"  # where there are no records
    assert set(show.beside(record).rows[1][1:]) == {"–"}


def test_a_run_that_stands_beside_no_other_stands_alone(monkeypatch):
    entry = {key: value for key, value in runs.entry("mnist-mlp-fast").items() if key != "beside"}
    monkeypatch.setattr(runs, "entry", lambda run: entry)
    table = show.beside(committed("mnist-mlp-fast"))
    assert [row[0] for row in table.rows] == ["mnist-mlp-fast"] and "None" not in table.caption

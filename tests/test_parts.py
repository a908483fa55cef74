"""What the parts buy: pairs of runs on the same images, worded by the outcome."""

import numpy as np
import pytest

from helpers import parts, results, runs

N = 2000


def held(wrong, train=0.99, epochs=10, macs=1000, parameters=100, sha="x"):
    """(record, predictions) of a run with `wrong` wrong answers of two thousand."""
    truth = np.arange(N) % 10
    record = {"seeds": [{"seed": 0, "test_accuracy": 1 - wrong / N, "train_accuracy": train, "epochs": epochs}], "layers": [{"macs": macs - 1}, {"macs": 1}], "parameter_count": parameters,
              "parameters": {"profile": "full"}, "dataset": {"sha256": sha, "test": N, "train": 50, "label": "MNIST", "kind": "official"}}
    return record, {"y_true": truth, "y_pred": np.where(np.arange(N) < wrong, (truth + 1) % 10, truth)[None]}


@pytest.fixture
def edition(monkeypatch):
    def made(**runs):
        everything = {name.replace("_", "-"): one for name, one in runs.items()}
        monkeypatch.setattr(results, "predictions", lambda profile, name: everything[name][1])
        return {name: {"run": name, **record} for name, (record, _) in everything.items()}

    return made


def test_a_step_is_measured_in_accuracy_gap_parameters_and_work(edition):
    [step] = parts.steps(edition(mnist_cnn=held(100, train=0.99), mnist_cnn_augmented=held(20, train=0.985, epochs=40)), "full")
    assert step["part"] == "augmentation" and step["difference"] == pytest.approx(0.04) and 0.02 < step["low"] < 0.04 < step["high"]
    assert step["gaps"] == (pytest.approx(0.04), pytest.approx(-0.005)) and step["parameters"] == 1 and step["work"] == 4
    assert parts.work(held(1)[0]) == 1000 * 50 * 10
    assert parts.reading([step]) == ("Augmentation (1 step): 1 gained accuracy, 0 lost some, and the gap closed in 1, at 4 times the work. "
                                     "A gain or loss counts where its interval leaves out zero.")
    assert [str(cell) for cell in parts.table([step]).rows[0]][3:] == ["4.00 to -0.50", "× 1", "× 4"]


@pytest.mark.parametrize("wrong, said", [(100, "0 gained accuracy, 0 lost some"), (300, "0 gained accuracy, 1 lost some")])
def test_words_follow_the_outcome(edition, wrong, said):
    assert said in parts.reading(parts.steps(edition(mnist_second_v1=held(100), mnist_second_v2=held(wrong)), "full"))


def test_only_runs_on_the_same_images_make_a_step(edition):
    assert parts.steps(edition(mnist_cnn=held(100), mnist_third=held(20, sha="y")), "full") == []
    assert parts.steps(edition(mnist_cnn=held(100)), "full") == [] and parts.reading([]) == ""
    assert "No two runs" in parts.table([]).note


def test_every_step_is_between_runs_that_exist():
    assert {name for _, _, *names in parts.STEPS for name in names} <= set(runs.select())
    for _, _, before, after in parts.STEPS:
        assert runs.parameters(before, "full")["dataset"] == runs.parameters(after, "full")["dataset"]

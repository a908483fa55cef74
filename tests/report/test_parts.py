"""What the parts buy: pairs of runs that a claim has tested, worded by its verdict."""

import pytest

from helpers import runs
from report.prose import claims, parts


def held(run, accuracy, train=0.99, epochs=10, macs=1000, parameters=100, **settings):
    return {
        "run": run,
        "seeds": [
            {"seed": 0, "test_accuracy": accuracy, "train_accuracy": train, "epochs": epochs}
        ],
        "layers": [{"macs": macs - 1}, {"macs": 1}],
        "parameter_count": parameters,
        "parameters": {"optimizer": "adam", "learning_rate": 0.001, "batch_size": 32, **settings},
        "dataset": {"train": 50, "label": "MNIST"},
    }


def claim(run_a, run_b, difference, low, high, verdict):
    return {
        "run_a": run_a,
        "run_b": run_b,
        "difference": difference,
        "low": low,
        "high": high,
        "verdict": verdict,
    }


RECORDS = {
    "mnist-cnn": held("mnist-cnn", 0.95),
    "mnist-cnn-augmented": held("mnist-cnn-augmented", 0.99, 0.985, epochs=40),
    "mnist-second-v1": held("mnist-second-v1", 0.97),
    "mnist-second-v2": held("mnist-second-v2", 0.96, optimizer="rmsprop", learning_rate=0.1),
}


def test_a_step_is_measured_in_accuracy_gap_parameters_and_work():
    [step] = parts.steps(
        RECORDS, [claim("mnist-cnn-augmented", "mnist-cnn", 0.04, 0.03, 0.05, "holds")]
    )
    assert (step["part"], step["verdict"], step["difference"], step["low"], step["high"]) == (
        "augmentation",
        "gain",
        0.04,
        0.03,
        0.05,
    )
    assert (
        step["gaps"] == (pytest.approx(0.04), pytest.approx(-0.005))
        and step["parameters"] == 1
        and step["work"] == 4
    )
    assert parts.work(RECORDS["mnist-cnn"]) == 1000 * 50 * 10
    assert (
        parts.reading([step])
        == "Augmentation (1 step): 1 gained accuracy, 0 lost some, 0 not decided; the gap is narrower after 1; 4 times the work."
    )
    row = [str(cell) for cell in parts.table([step]).rows[0]]
    assert (
        row[1] == "epochs 10 to 40"
        and row[3] == "+4.00 [+3.00, +5.00], gain"
        and row[4:] == ["4.00 to -0.50", "× 1", "× 4"]
    )


@pytest.mark.parametrize(
    "verdict, word",
    [("holds", "loss"), ("the opposite holds", "gain"), ("not decided", "not decided")],
)
def test_a_claim_the_other_way_round_is_turned(verdict, word):
    [step] = parts.steps(
        RECORDS, [claim("mnist-second-v1", "mnist-second-v2", 0.01, -0.02, 0.04, verdict)]
    )
    assert (step["verdict"], step["difference"], step["low"], step["high"]) == (
        word,
        -0.01,
        -0.04,
        0.02,
    )
    assert (
        claims.training_changes(step["before"], step["after"])
        == "optimiser adam to rmsprop; rate 0.001 to 0.1"
    )
    assert claims.training_changes(step["before"], step["before"]) == ""
    halved = held("mnist-third", 0.99, reduce_patience=3)
    assert (
        claims.training_changes(RECORDS["mnist-cnn"], halved) == "rate halved where the loss stalls"
    )
    assert (
        claims.training_changes(halved, RECORDS["mnist-cnn"]) == "rate no longer halved"
        and claims.training_changes(halved, halved) == ""
    )


def test_a_single_change_is_shown_beside_the_run_that_it_changes(folders):
    changed = {
        name: {
            **held(name, 0.99),
            "dataset": {"train": 54000, "label": "MNIST", "kind": "official"},
        }
        for name in ("mnist-cnn-20-epochs", "mnist-second-v1-normalised")
    }
    shown = parts.alone(
        changed, {**changed, "mnist-second-v1": held("mnist-second-v1", 0.97)}, "full"
    )
    rows = [[str(cell) for cell in row] for row in shown.rows]
    assert [row[4:] for row in rows] == [
        ["`mnist-cnn-augmented`", "-", "-"],
        ["`mnist-second-v1`", "97.00 %", "1"],
    ] and rows[1][2] == "99.00 %"
    assert (
        "batch normalisation after each convolution" in rows[1][1]
        and "None of these runs" in parts.alone({}, {}, "full").note
    )


def test_nothing_untested_is_told():
    assert (
        parts.steps(RECORDS, []) == []
        and parts.reading([]) == ""
        and "No two runs" in parts.table([]).note
    )


def test_every_step_is_a_claim_between_runs_on_the_same_data():
    pairs = {frozenset((run_a, run_b)) for _, run_a, run_b in claims.CLAIMS}
    for part, _, before, after in parts.STEPS:
        assert part in parts.NAMES and frozenset((before, after)) in pairs, (before, after)
        assert (
            runs.parameters(before, "full")["dataset"] == runs.parameters(after, "full")["dataset"]
        )

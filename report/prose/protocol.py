"""What a course report's protocol does to its figures: choosing an epoch on test images, the swing between epochs, which training figure is meant.

Measures only, of records and predictions, with NumPy; `protocol_text` puts them into words.
"""

import math

import numpy as np

from helpers import results, statistics

FACTOR = 1.5  # a reported figure fits a measured one within this factor (of the share of errors, or of the loss)
SLIGHT = 0.0005  # an optimism below this, five images in ten thousand, is slight


def chosen(record):
    """Means over seeds of `selection`'s numbers."""
    return {
        name: float(np.mean([seed["selection"][name] for seed in record["seeds"]]))
        for name in ("lead", "promised", "kept", "optimism")
    }


def swing(record):
    """How far the accuracy on the watched images moves in the second half of the training, as fractions.

    `first`, `last`: the epochs (from 1); `low`, `high`: lowest and highest accuracy of any seed; `epochs`: standard deviation between the epochs of a seed,
    mean over seeds; `seeds`: that between the seeds' last epochs; None where there is one only; `sample`: half the Wilson 95 % interval.
    """
    curves = np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]])
    later = curves[:, curves.shape[1] // 2 :]
    n, mean = record["dataset"]["test"], curves[:, -1].mean()
    low, high = statistics.wilson(mean * n, n)
    return {
        "first": curves.shape[1] // 2 + 1,
        "last": curves.shape[1],
        "low": float(later.min()),
        "high": float(later.max()),
        "mean": float(mean),
        "sample": (high - low) / 2,
        "epochs": float(later.std(axis=1, ddof=1).mean()) if later.shape[1] > 1 else None,
        "seeds": float(curves[:, -1].std(ddof=1)) if len(curves) > 1 else None,
    }


def standing(record):
    """Where the reported test accuracy lies among those of the later epochs of all seeds: "within", "above" or "below" them; None where it may not be compared."""
    reported = record["reported"].get("test_accuracy")
    if reported is None or not results.comparable(record):
        return None
    found, half = (
        swing(record),
        0.5 / record["dataset"]["test"],
    )  # half an image, for figures are rounded
    return (
        "below"
        if reported < found["low"] - half
        else "above"
        if reported > found["high"] + half
        else "within"
    )


def training_figures(record, metric):
    """(averaged, final): the training accuracy or loss of each seed as Keras's history has it for the last epoch, taken while the network learns, and as `evaluate` gives it
    for the final weights."""
    return [seed["history"][metric][-1] for seed in record["seeds"]], [
        seed[f"train_{metric}"] for seed in record["seeds"]
    ]


def kind(record, metric):
    """Which of the two the reported training figure can be: "averaged", "final", "either", "between" them or "neither"; None where none is reported."""
    reported = record["reported"].get(f"train_{metric}")
    if reported is None:
        return None
    reported, *measured = (
        [_badness(value, metric) for value in values]
        for values in ([reported], *training_figures(record, metric))
    )
    averaged, final = (
        min(values) / FACTOR <= reported[0] <= max(values) * FACTOR for values in measured
    )
    if averaged or final:
        return "either" if averaged and final else "averaged" if averaged else "final"
    return (
        "between" if min(map(max, measured)) < reported[0] < max(map(min, measured)) else "neither"
    )


def impossible(reported):
    """The parts of the images whose reported loss is below the least that goes with their reported accuracy."""
    return [
        part
        for part in ("train", "validation", "test")
        if {f"{part}_accuracy", f"{part}_loss"} <= set(reported)
        and reported[f"{part}_loss"] < least_loss(reported[f"{part}_accuracy"])
    ]


def least_loss(accuracy):
    """The least mean cross-entropy, in nats, that goes with an accuracy: where the true class is not the most probable one, its probability is at most 1/2."""
    return (1 - accuracy) * math.log(2)


def loss_beside(record):
    """The training loss that went with the reported training accuracy here, averaged in the same way, by interpolation over epochs and seeds; None if no epoch came by it."""
    reported = record["reported"].get("train_accuracy")
    points = sorted(
        (a, loss)
        for seed in record["seeds"]
        for a, loss in zip(seed["history"]["accuracy"], seed["history"]["loss"])
    )
    if reported is None or not points[0][0] <= reported <= points[-1][0]:
        return None
    accuracies, losses = zip(*points)
    return float(np.exp(np.interp(reported, accuracies, np.log(losses))))


def _badness(value, metric):
    return max(1 - value, 1e-9) if metric == "accuracy" else value

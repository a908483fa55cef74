"""What a course report's protocol does to its figures: an epoch chosen on test images, the swing
between epochs, pairs of accuracy and loss that cannot belong together."""

import math

import numpy as np
import pandas as pd

from helpers import results, runs
from helpers.show import Prose, Table
from helpers.show.words import data_named, percent, share
from report import courses


def chosen(record):
    """Means over seeds of what choosing an epoch on one half of the test images promised there and
    kept on the other: `lead`, `promised`, `kept`, `optimism`, fractions."""
    return {
        name: float(np.mean([seed["selection"][name] for seed in record["seeds"]]))
        for name in ("lead", "promised", "kept", "optimism")
    }


def swing(record):
    """Lowest and highest accuracy on the watched images in the second half of the training of any
    seed, and the mean of the last epochs: `low`, `high`, `mean`."""
    curves = np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]])
    later = curves[:, curves.shape[1] // 2 :]
    return {"low": later.min(), "high": later.max(), "mean": curves[:, -1].mean()}


def standing(record):
    """The reported test accuracy against those of the later epochs of all seeds: "within" them, or
    ours lie "above" or "below" it; None where it may not be compared."""
    reported = record["reported"].get("test_accuracy")
    if reported is None or not results.comparable(record):
        return None
    found, half = swing(record), 0.5 / record["dataset"]["test"]  # figures are rounded
    below = reported < found["low"] - half
    return "above" if below else "below" if reported > found["high"] + half else "within"


def protocol_table(records):
    """The experiments: test accuracy as reported, of the last epoch, over the later epochs, of the
    best one, and what choosing the best one flatters."""
    rows = []
    for run, record in records.items():
        found, reported = swing(record), record["reported"].get("test_accuracy")
        drawn = record["dataset"]["kind"] == "stand-in"
        rows.append(
            {
                "Run": runs.title(run),
                "Reported": None if drawn or reported is None else percent(reported),
                "Last epoch": share(record, "test_accuracy"),
                "n": str(len(record["seeds"])),
                "Later epochs": f"{100 * found['low']:.2f} to {100 * found['high']:.2f} %",
                "Ours lie": standing(record) or "not compared",
                "Best epoch": percent(found["mean"] + chosen(record)["lead"]),
                "Flattery": f"{100 * chosen(record)['optimism']:.2f}",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Trained as the course report did: experiments beside the report's runs.",
        "tbl-course-protocol",
        align="lrrrrlrr",
        note="Accuracy on the test images, which are watched during training. Last epoch: mean and "
        "deviation over n seeds. Later epochs: lowest and highest of any seed in the second half. "
        "Best epoch: chosen on the test images, mean over seeds. Flattery: where one half of the "
        "test images chooses the epoch, by how many points the gain that it promises exceeds the "
        "gain on the other half. " + data_named(records.values()),
    )


def least_loss(accuracy):
    """The least mean cross-entropy, in nats, that goes with an accuracy: where the true class is
    not the most probable one, its probability is at most 1/2."""
    return (1 - accuracy) * math.log(2)


def impossible_table():
    """Reported pairs of accuracy and loss of which the loss is below the least possible."""
    rows = []
    for run in courses.of_all(dict.fromkeys(runs.select())):
        reported = runs.entry(run).get("reported", {})
        for part in ("train", "validation", "test"):
            accuracy, loss = (reported.get(f"{part}_{name}") for name in ("accuracy", "loss"))
            if None not in (accuracy, loss) and loss < least_loss(accuracy):
                rows.append(
                    {
                        "Run": Prose(f"`{run}`"),
                        "Images": {"train": "training"}.get(part, part),
                        "Accuracy": percent(accuracy),
                        "Loss": f"{loss:.5f}",
                        "Least possible": f"{least_loss(accuracy):.5f}",
                    }
                )
    return Table(
        pd.DataFrame(rows),
        "Reported figures that cannot belong together.",
        "tbl-impossible",
        align="llrrr",
        note="Each wrong image costs at least log 2 nats, because another class is at least as "
        "probable as the true one: the mean loss is at least the share of mistakes times log 2.",
    )

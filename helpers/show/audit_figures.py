"""The figures of a data audit: balance, pairs and doubted labels are drawn by its notebook, the distances of all data sets by the report."""

import numpy as np

from helpers import show as plots
from helpers.show import figures
from helpers.show.exhibits import Figure
from helpers.show.figures import from_record
from helpers.store import paths


def balance(record):
    """Share of each class in the training and in the test images."""
    counts = record["extra"]["balance"]
    return from_record(
        record,
        "balance",
        f"{record['run']}: the share of each class among training images (bars) and test images (points); where points leave the "
        "bars, training and test differ.",
        plots.balance,
        counts["train"],
        counts["test"],
        record["dataset"]["class_names"],
    )


def pairs(record, predictions, train, y_train, test, closest=False, n=8):
    """Test images beside their nearest training images: the closest pairs, or pairs from the closest to the farthest in equal steps."""
    order = np.argsort(predictions["distance"], kind="stable")
    chosen = order[:n] if closest else order[np.linspace(0, len(order) - 1, n).astype(int)]
    near = predictions["nearest"][chosen]
    what = (
        f"the {len(chosen)} test images that have the closest training image"
        if closest
        else "test images in equal steps from the one with the closest training image to the one with the farthest"
    )
    return from_record(
        record,
        "closest" if closest else "neighbours",
        f"{record['run']}: {what}, their nearest training image and the difference of the two; a class in orange is another one. Below, "
        f"the root-mean-square difference at {record['parameters']['side']} x {record['parameters']['side']} pixels or so, as a share of the pixel "
        "range.",
        plots.pairs,
        test[chosen],
        train[near],
        predictions["distance"][chosen].astype("float32"),
        predictions["y_true"][chosen],
        np.asarray(y_train)[near],
        record["dataset"]["class_names"],
    )


def doubts(record, images):
    """The images (n, height, width, 1) whose labels are doubted most, in the order of the record."""
    found = record["extra"]["doubted"]
    label, answer, confidence = (
        np.array([one[name] for one in found]) for name in ("label", "answer", "confidence")
    )
    return from_record(
        record,
        "doubts",
        f"{record['run']}: the labels that networks doubt most. Below each image the class that every repeat named instead, how sure "
        "the least sure one was, and the label.",
        plots.doubts,
        images,
        label,
        answer,
        confidence,
        record["dataset"]["class_names"],
    )


def distances(audits, found, profile):
    """How near the nearest training image is, for all audited data sets. `found`: a dict from a run to its distances (n,)."""
    path = paths.figures(profile, "all") / "distances.png"
    sets = {
        record["dataset"]["title"]: found[run].astype("float32") for run, record in audits.items()
    }
    limit = next(iter(audits.values()))["parameters"]["twin_distance"]
    plots.update(
        path,
        plots.distances,
        sets,
        limit,
        label=[figures.stamp(record["dataset"]) for record in audits.values()],
    )
    return Figure(
        path,
        "How near the nearest training image is: the share of test images (vertical) that have a training image nearer than the distance (horizontal). "
        "Left of the grey line two images count as twins; a curve that rises early belongs to a test that can be passed from memory.",
        "fig-distances",
    )

"""What is said of the data audits: tables over data sets, and sentences worded by what was found."""

from statistics import mean

import pandas as pd

from helpers import results, show, statistics
from helpers.show import Prose, Table, plain
from helpers.show.words import counted, data_named

MEMORY = 0.95  # where the nearest neighbour names this share of most of the test images, memory alone passes the test


def balance_reading(record):
    """How equal the classes are among the test images, by which accuracy is weighted."""
    counts, names = record["extra"]["balance"]["test"], record["dataset"]["class_names"]
    most, least = max(counts), min(counts)
    if most <= 1.02 * least:
        return (
            "The classes are equally large, so that accuracy and balanced accuracy mean the same."
        )
    sizes = f"The commonest class, {plain(names[counts.index(most)])}, has {most:,} test images, the rarest, {plain(names[counts.index(least)])}, has {least:,}"
    if most <= 2 * least:
        return f"{sizes}: nearly equal, so that accuracy and balanced accuracy differ little."
    return f"{sizes}. Accuracy is then mostly the accuracy on common classes; the balanced accuracy counts each class alike."


def copies_reading(record):
    """What exact copies there are."""
    found, test = record["extra"]["duplicates"], record["dataset"]["test"]
    if not any(found.values()):
        return "No image occurs twice, neither within a part nor across the two."
    across = (
        f"{found['across']:,} of the {test:,} test images ({100 * found['across'] / test:.2f} %) also stand among the training images"
        if found["across"]
        else "no test image also stands among the training images"
    )
    clash = (
        f" Pictures that occur under more than one label: {found['conflicting']:,}."
        if found["conflicting"]
        else ""
    )
    return f"Pixel for pixel, repeated within the training images: {found['train']:,}; within the test images: {found['test']:,}; {across}.{clash}"


def neighbours_reading(record):
    """What the nearest neighbour can do, how many twins there are, and what they are."""
    extra, limit = record["extra"], record["parameters"]["twin_distance"]
    side = record["parameters"]["side"]
    share, twins = record["seeds"][0]["test_accuracy"], sum(extra["twins"])
    said = (
        f"With all images averaged down to {side} × {side} pixels, looking up the most similar training image names {100 * share:.2f} % of the test images correctly: a network has to beat that to have learnt more than a memory. "
        f"{100 * twins / record['dataset']['test']:.1f} % of the test images have a twin at that size, a training image nearer than {limit} (at a larger size no more are as near)"
    )
    if not twins:
        return f"{said}."
    most = max(extra["twins"])
    whose = f"; {100 * most / twins:.0f} % of them are of the class {plain(record['dataset']['class_names'][extra['twins'].index(most)])}"
    return f"{said}{whose}.{memory(record)}"


def memory(record):
    """A sentence where the nearest neighbour nearly passes the test, most of whose images have a twin of their own class; else ""."""
    extra = record["extra"]
    if (
        2 * sum(extra["twins"]) <= record["dataset"]["test"]
        or min(extra["twins_named"], record["seeds"][0]["test_accuracy"]) < MEMORY
    ):
        return ""
    return f" This test can be passed by memory alone: an accuracy on it says next to nothing about other pictures ({plain(record['dataset']['title'])})."


def doubts_reading(record):
    """How many labels are doubted."""
    extra, sure = record["extra"], record["parameters"]["sure"]
    agreed = f"The networks name {100 * mean(extra['cross_validated']):.1f} % of the {extra['judged']:,} images as they are labelled"
    if not extra["doubted_count"]:
        return f"{agreed} and doubt no label."
    return (
        f"{agreed} and doubt {counted(extra['doubted_count'], 'label')} ({100 * extra['doubted_count'] / extra['judged']:.2f} %): in every repeat the same other class, each time with a "
        f"probability of at least {sure}. Of these, {extra['doubted_test']:,} belong to test images ({100 * extra['doubted_test'] / max(1, extra['judged_test']):.2f} % of those judged)."
    )


def apart(records, audits, profile):
    """For every run that was judged on the test images of an audit: (run, accuracy, accuracy without twins or None, images left, images with a twin)."""
    for audit in audits.values():
        answers = results.predictions(profile, audit["run"])
        for run, record in records.items():
            right = rightness(profile, record, answers["y_true"], audit)
            if right is not None:
                yield (
                    run,
                    *statistics.without_twins(right, answers["twin"]),
                    int((~answers["twin"]).sum()),
                    int(answers["twin"].sum()),
                )


def twin_table(records, audits, profile):
    """Every run's accuracy with and without the test images that have a twin among the training images."""
    rows = []
    for run, whole, without, left, twins in apart(records, audits, profile):
        low, high = statistics.wilson(without * left, left) if left else (None, None)
        rows.append(
            {
                "Run": Prose(f"`{run}`"),
                "Twins": f"{100 * twins / (left + twins):.1f} %",
                "All test images": f"{100 * whole:.2f} %",
                "Left": f"{left:,}",
                "Without twins": f"{100 * without:.2f} %" if left else "-",
                "95 % interval": f"{100 * low:.2f} to {100 * high:.2f}" if left else "-",
                "Change": f"{100 * (without - whole):+.2f}" if left else "-",
            }
        )
    columns = [
        "Run",
        "Twins",
        "All test images",
        "Left",
        "Without twins",
        "95 % interval",
        "Change",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Test accuracy if the test images with a twin among the training images, averaged down, are left out.",
        "tbl-twins",
        align="lrrrrrr",
        note="Left: test images that remain; the interval is Wilson's for them. Change in percentage points. Training images are here all that are not test images, also those that a run "
        "validated on or left out. " + data_named(records.values()),
    )


def twins_reading(records, audits, profile):
    """One or two sentences on the largest change, whatever it is."""
    found = list(apart(records, audits, profile))
    changes = [
        (abs(without - whole), run, without - whole, left, whole)
        for run, whole, without, left, _ in found
        if left
    ]
    if not changes:
        return (
            "Every test image has a twin: nothing is left to judge by."
            if found
            else "No run of this edition was judged on the test images of an audit."
        )
    inside = sum(
        low <= whole <= high
        for low, high, whole in (
            (*statistics.wilson((whole + change) * left, left), whole)
            for _, _, change, left, whole in changes
        )
    )
    _, run, change, left, _ = max(changes)
    return (
        f"Of {len(changes)} accuracies, {inside} lie inside the interval of what remains without twins; the largest change, {100 * change:+.2f} points, is that of `{run}`, with "
        f"{counted(left, 'image')} left. Leaving images out also changes the mixture of classes and how hard they are, so that a change need not be memory."
    )


def rightness(profile, record, truth, audit):
    """bool (seeds, n): which test images a run gets right; None where it was not judged on the audit's test images."""
    if record["dataset"]["sha256"] != audit["dataset"]["sha256"]:
        return None
    answers = results.predictions(profile, record["run"])
    same = len(answers["y_true"]) == len(truth) and (answers["y_true"] == truth).all()
    return answers["y_pred"] == truth if same else None


def pictures(audits, skip=()):
    """The figures of every audit as its notebook drew them, (run, name) pairs of `skip` left out, for an appendix."""
    found = [
        (run, name, show.kept(record, name))
        for run, record in audits.items()
        for name in ("balance", "closest", "doubts")
    ]
    return [figure for run, name, figure in found if figure and (run, name) not in skip]

"""What is said of the data audits: tables over data sets, and sentences worded by what was found."""

from statistics import mean, stdev

import pandas as pd

from helpers import results, statistics
from helpers.exhibits import Prose, Table, plain
from helpers.overview import labels


def balance_reading(record):
    """How equal the classes are."""
    counts, names = record["extra"]["balance"]["train"], record["dataset"]["class_names"]
    most, least = max(counts), min(counts)
    if most <= 1.1 * least:
        return "The classes are equally large, so that accuracy and balanced accuracy mean the same."
    return (f"The commonest class, {plain(names[counts.index(most)])}, has {most:,} training images, the rarest, {plain(names[counts.index(least)])}, has {least:,}. Accuracy is then "
            "mostly the accuracy on common classes; the balanced accuracy counts each class alike.")


def copies_reading(record):
    """What exact copies there are."""
    found, test = record["extra"]["duplicates"], record["dataset"]["test"]
    if not any(found.values()):
        return "No image occurs twice, neither within a part nor across the two."
    across = (f"{found['across']:,} of the {test:,} test images ({100 * found['across'] / test:.2f} %) stand among the training images too"
              if found["across"] else "no test image stands among the training images")
    clash = f" {found['conflicting']:,} pictures occur under more than one label." if found["conflicting"] else ""
    return f"Pixel for pixel, {found['train']:,} training images repeat another one, {found['test']:,} test images do, and {across}.{clash}"


def neighbours_reading(record):
    """What the nearest neighbour can do, and how many twins there are."""
    extra, limit = record["extra"], record["parameters"]["twin_distance"]
    share, twins = record["seeds"][0]["test_accuracy"], extra["twins"] / record["dataset"]["test"]
    meaning = ("Most of this test can be passed by memory alone: accuracy on it says next to nothing about other pictures." if twins > 0.5 else
               "Leaving them out tells how much they help." if twins > 0.005 else "They are too few to matter.")
    return (f"Looking up the most similar training image names {100 * share:.2f} % of the test images correctly: a network has to beat that to have learnt more than a memory. "
            f"{100 * twins:.1f} % of the test images have a twin, a training image nearer than {limit}. {meaning}")


def doubts_reading(record):
    """How many labels are doubted."""
    extra, sure = record["extra"], record["parameters"]["sure"]
    judged, found = extra["judged"], extra["doubted_count"]
    score = mean(extra["cross_validated"])
    return (f"The networks name {100 * score:.1f} % of the {judged:,} images as they are labelled, and doubt {found:,} labels ({100 * found / judged:.2f} %): in every repeat the same "
            f"other class, each time with a probability of at least {sure}. {extra['doubted_test']:,} of them are test images ({100 * extra['doubted_test'] / max(1, extra['judged_test']):.2f} % of those judged). Some of these are wrong labels, some are images that no rule can decide, and some are the networks' mistakes.")


def overview(audits):
    """A row a data set: copies, twins, nearest neighbour with few and with all training images, doubted labels."""
    rows = []
    for record in audits.values():
        extra, test = record["extra"], record["dataset"]["test"]
        few = {f"{shots} a class": f"{100 * mean(values):.1f} ± {100 * stdev(values):.1f}" for shots, values in extra["few_shot"].items()}
        rows.append({"Data": record["dataset"]["title"], "Copies across": f"{extra['duplicates']['across']:,}", "Twins": f"{100 * extra['twins'] / test:.1f} %",
                     **few, "All": f"{100 * record['seeds'][0]['test_accuracy']:.2f}", "Balanced": f"{100 * record['seeds'][0]['balanced_accuracy']:.2f}",
                     "Doubted": f"{extra['doubted_count']:,} of {extra['judged']:,}"})
    columns = list(rows[0]) if rows else ["Data"]
    note = ("Copies: test images that stand among the training images pixel for pixel. Twins: test images with a training image nearer than the limit of @fig-distances. Then the nearest "
            "neighbour's test accuracy in percent, with a few training images a class (mean and deviation over draws), with all, and balanced. Doubted: labels that networks which never saw "
            "the image contradict in every repeat. ") if rows else "No audit has a record in this edition."
    return Table(pd.DataFrame(rows, columns=columns), "The data before any network: copies and twins across the split, the nearest neighbour, and labels that networks doubt.", "tbl-audit",
                 align="l" + "r" * (len(columns) - 1), note=note + labels(audits))


def twin_table(records, audits, profile):
    """Every run's accuracy with and without the test images that have a twin among the training images."""
    rows = []
    for audit in audits.values():
        answers = results.predictions(profile, audit["run"])
        for run, record in records.items():
            right = rightness(profile, record, answers["y_true"], audit)
            if right is None:
                continue
            whole, apart = statistics.without_twins(right, answers["twin"])
            rows.append({"Run": Prose(f"`{run}`"), "Twins": f"{100 * answers['twin'].mean():.1f} %", "All test images": f"{100 * whole:.2f} %",
                         "Without twins": "none left" if apart is None else f"{100 * apart:.2f} %", "Change": "-" if apart is None else f"{100 * (apart - whole):+.2f}",
                         "Left": f"{int((~answers['twin']).sum()):,}"})
    columns = ["Run", "Twins", "All test images", "Without twins", "Change", "Left"]
    return Table(pd.DataFrame(rows, columns=columns), "Test accuracy if the test images with a twin among the training images are left out.", "tbl-twins", align="lrrrrr",
                 note="Change in percentage points; left: test images that remain. Where few remain the accuracy without twins is itself uncertain. " + labels(records))


def twins_reading(records, audits, profile):
    """One sentence on the largest change, whatever it is."""
    changes = []
    for audit in audits.values():
        answers = results.predictions(profile, audit["run"])
        for run, record in records.items():
            right = rightness(profile, record, answers["y_true"], audit)
            if right is not None and (~answers["twin"]).any():
                whole, apart = statistics.without_twins(right, answers["twin"])
                low, high = statistics.wilson(whole * len(answers["twin"]), len(answers["twin"]))
                changes.append((abs(apart - whole), run, apart - whole, low <= apart <= high))
    if not changes:
        return "No run of this edition was judged on the test images of an audit."
    inside = sum(within for *_, within in changes)
    _, run, change, _ = max(changes)
    return (f"Without twins, {inside} of {len(changes)} accuracies stay inside the interval of the test sample; the largest change, {100 * change:+.2f} points, is that of `{run}`.")


def rightness(profile, record, truth, audit):
    """bool (seeds, n): which test images a run gets right; None where it was not judged on the audit's test images."""
    if record["dataset"]["sha256"] != audit["dataset"]["sha256"]:
        return None
    answers = results.predictions(profile, record["run"])
    same = len(answers["y_true"]) == len(truth) and (answers["y_true"] == truth).all()
    return answers["y_pred"] == truth if same else None

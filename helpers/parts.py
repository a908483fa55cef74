"""What the parts of a network and of its training buy, and what they cost: pairs of runs between which something was added."""

import pandas as pd

from helpers import overview, results, statistics
from helpers.exhibits import Prose, Table
from helpers.tables import counted

# What is added (the course reports seldom change one thing alone), the run without it, the run with it.
STEPS = [
    ("convolution", "One convolution in place of two dense layers", "mnist-mlp", "mnist-first"),
    ("convolution", "Two convolutions before the dense layer", "fashion-dense", "fashion-cnn-1x100"),
    ("convolution", "Two more convolutions and a dense layer", "mnist-first", "mnist-second-v1"),
    ("convolution", "Two more convolutions, narrower dense layers", "emnist-first-letters", "emnist-second-letters"),
    ("dropout", "Dropout, shrinking kernels", "mnist-second-v1", "mnist-second-v2"),
    ("dropout", "Dropout, one convolution fewer, a wider dense layer", "emnist-second-letters", "emnist-third-letters"),
    ("augmentation", "Small rotations and zooms", "mnist-cnn", "mnist-cnn-augmented"),
    ("augmentation", "Flips, turns, shifts and zooms", "fingers-carlosnet-plain", "fingers-carlosnet-augmented"),
    ("augmentation", "The same for the large network", "fingers-ivannet-plain", "fingers-ivannet-augmented"),
    ("everything", "Batch normalisation, penalty, augmentation, two more convolutions", "mnist-cnn", "mnist-third"),
]


def steps(records, profile):
    """The pairs whose runs both have records on the same images: dicts with `part`, `what`, `before`, `after` (records), `difference`, `low` and `high`
    of test accuracy by paired bootstrap, `gaps` (training minus test accuracy before and after), `parameters` and `work` (ratios, after over before).
    """
    found = []
    for part, what, *names in STEPS:
        if not all(name in records for name in names):
            continue
        before, after = (records[name] for name in names)
        answers = [results.predictions(profile, name) for name in names]
        if before["dataset"]["sha256"] != after["dataset"]["sha256"] or before["dataset"]["test"] != after["dataset"]["test"]:
            continue
        right = [one["y_pred"] == one["y_true"] for one in answers]
        difference, low, high = statistics.paired_bootstrap(right[1], right[0])
        found.append({"part": part, "what": what, "before": before, "after": after, "difference": difference, "low": low, "high": high, "gaps": (gap(before), gap(after)),
                      "parameters": after["parameter_count"] / before["parameter_count"], "work": work(after) / work(before)})
    return found


def gap(record):
    """Training minus test accuracy, mean over seeds."""
    return results.mean_std(record, "train_accuracy")[0] - results.mean_std(record, "test_accuracy")[0]


def work(record):
    """Multiplications of all passes forward in training: those of one image, times images, times epochs (the passes back take twice as many again)."""
    return sum(layer["macs"] for layer in record["layers"]) * record["dataset"]["train"] * results.mean_std(record, "epochs")[0]


def table(found):
    """A row a step: what it adds, what that does to the accuracy and to the gap, and what it costs."""
    rows = [{"What is added": step["what"], "From, to": Prose(f"`{step['before']['run']}`, `{step['after']['run']}`"),
             "Accuracy": f"{100 * step['difference']:+.2f} [{100 * step['low']:+.2f}, {100 * step['high']:+.2f}]", "Gap": "{:.2f} to {:.2f}".format(*(100 * one for one in step["gaps"])),
             "Parameters": f"× {step['parameters']:.2g}", "Work": f"× {step['work']:.2g}"} for step in found]
    note = ("Accuracy: difference on plain test images in points, with its 95 % interval by paired bootstrap over images and seeds. Gap: accuracy on training minus test images, in points, before and after. "
            "Work: multiplications of one image, times images, times epochs; a step may train longer, too. " + overview.labels({step["after"]["run"]: step["after"] for step in found}) if found
            else "No two runs of such a pair have records on the same images in this edition.")
    return Table(pd.DataFrame(rows, columns=["What is added", "From, to", "Accuracy", "Gap", "Parameters", "Work"]), "What the parts buy, and what they cost.", "tbl-parts", align="lllrrr", note=note)


def reading(found):
    """A sentence for each part: how many of its steps gained or lost accuracy (interval beside zero) and closed the gap, and at what work."""
    told = []
    for part, name in (("convolution", "Convolutions"), ("dropout", "Dropout"), ("augmentation", "Augmentation"), ("everything", "All means together")):
        mine = [step for step in found if step["part"] == part]
        if not mine:
            continue
        gained, lost, closed = (sum(step["low"] > 0 for step in mine), sum(step["high"] < 0 for step in mine), sum(step["gaps"][1] < step["gaps"][0] for step in mine))
        least, most = min(step["work"] for step in mine), max(step["work"] for step in mine)
        cost = f"{least:.2g}" if len(mine) == 1 else f"{least:.2g} to {most:.2g}"
        told.append(f"{name} ({counted(len(mine), 'step')}): {gained} gained accuracy, {lost} lost some, and the gap closed in {closed}, at {cost} times the work.")
    return " ".join([*told, "A gain or loss counts where its interval leaves out zero."] if told else [])

"""What the parts of a network and of its training buy, and what they cost: pairs of runs between which something was added."""

import functools

import pandas as pd

from helpers import results, runs
from helpers.show import Prose, Table, plain
from helpers.show.words import data_named, share
from report import claims
from report.courses import linked

# What becomes of the network or its images, the run without it, the run with it.
STEPS = [
    (
        "convolution",
        "One convolution in place of two dense layers with dropout",
        "mnist-mlp",
        "mnist-first",
    ),
    (
        "convolution",
        "Two convolutions with dropout before the dense layer",
        "fashion-dense",
        "fashion-cnn-1x100",
    ),
    ("convolution", "Two more convolutions and a dense layer", "mnist-first", "mnist-second-v1"),
    (
        "convolution",
        "Two more convolutions, narrower dense layers",
        "emnist-first-letters",
        "emnist-second-letters",
    ),
    ("dropout", "Dropout, shrinking kernels", "mnist-second-v1", "mnist-second-v2"),
    (
        "dropout",
        "A dropout of 0.5 in place of 0.25",
        "mnist-second-v2-course-dropout-25",
        "mnist-second-v2-course",
    ),
    (
        "dropout",
        "Dropout, one convolution fewer, a wider dense layer",
        "emnist-second-letters",
        "emnist-third-letters",
    ),
    (
        "normalisation",
        "Batch normalisation after each convolution",
        "mnist-second-v1",
        "mnist-second-v1-normalised",
    ),
    ("augmentation", "Small rotations and zooms", "mnist-cnn", "mnist-cnn-augmented"),
    ("augmentation", "The same after as many epochs", "mnist-cnn-20-epochs", "mnist-cnn-augmented"),
    (
        "augmentation",
        "Flips, turns, shifts and zooms",
        "fingers-carlosnet-plain",
        "fingers-carlosnet-augmented",
    ),
    (
        "augmentation",
        "The same for the large network",
        "fingers-ivannet-plain",
        "fingers-ivannet-augmented",
    ),
    ("width", "A dense layer of 100 in place of 87", "fashion-cnn-1x87", "fashion-cnn-1x100"),
    ("width", "One of 200 in place of 100", "fashion-cnn-1x100", "fashion-cnn-1x200"),
    (
        "everything",
        "Batch normalisation, penalty, small shifts, rotations and zooms, two more convolutions",
        "mnist-cnn",
        "mnist-third",
    ),
]


def steps(records, profile):
    """The pairs of which both runs have records on the same test images.

    Dicts with `part`, `what`, `before`, `after` (records), the numbers of `claims.compare`, `gaps` (training minus test accuracy before and after),
    `parameters` and `work` (ratios, after over before).
    """
    right, taken = functools.partial(claims.rightness, profile), []
    for part, what, before, after in STEPS:
        one, other = records.get(before), records.get(after)
        numbers = claims.compare(other, one, right) if one and other else {"n": 0}
        if numbers["n"]:
            taken.append(
                {
                    "part": part,
                    "what": what,
                    "before": one,
                    "after": other,
                    **numbers,
                    "gaps": (gap(one), gap(other)),
                    "parameters": other["parameter_count"] / one["parameter_count"],
                    "work": work(other) / work(one),
                }
            )
    return taken


def training_changes(before, after):
    """What changed in training between two runs: optimiser, rate, batch, epochs and a rate that is halved, in words; "" if none of them did, or one side is not trained."""

    def told(record):
        held = record["parameters"]
        return {
            "optimiser": str(held["optimizer"]),
            "rate": f"{held['learning_rate']:g}",
            "batch": str(held["batch_size"]),
            "epochs": f"{results.mean_std(record, 'epochs')[0]:.3g}",
        }

    if not all("epochs" in record["seeds"][0] for record in (before, after)):
        return ""  # one is the nearest neighbour
    one, other = told(before), told(after)
    said = [f"{name} {one[name]} to {other[name]}" for name in one if one[name] != other[name]]
    halved = [record["parameters"].get("reduce_patience", 0) > 0 for record in (before, after)]
    said += (
        ["rate halved where the loss stalls" if halved[1] else "rate no longer halved"]
        if halved[0] != halved[1]
        else []
    )
    return "; ".join(said)


def gap(record):
    """Training minus test accuracy, mean over seeds."""
    return (
        results.mean_std(record, "train_accuracy")[0] - results.mean_std(record, "test_accuracy")[0]
    )


def work(record):
    """Multiplications of all passes forward in training: those of one image, times images, times epochs (the passes back take about twice as many again)."""
    return (
        sum(layer["macs"] for layer in record["layers"])
        * record["dataset"]["train"]
        * results.mean_std(record, "epochs")[0]
    )


def step_table(taken):
    """A row a step: what it adds, what else changed, what that does to the accuracy and to the gap, and what it costs."""
    rows = [
        {
            "What is added": step["what"],
            "Changed with it": training_changes(step["before"], step["after"]) or "nothing",
            "From, to": Prose(f"`{step['before']['run']}`, `{step['after']['run']}`"),
            "Accuracy": claims.interval(step),
            "n": str(step["n"]),
            "Gap": "{:.2f} to {:.2f}".format(*(100 * one for one in step["gaps"])),
            "Parameters": f"× {step['parameters']:.2g}",
            "Work": f"× {step['work']:.2g}",
        }
        for step in taken
    ]
    note = (
        "Accuracy: difference on plain test images in points, mean over n seeds that both runs have, with its 95 % interval for other seeds and other test images. Gap: accuracy on training minus test images, in points, before and after. "
        "Work: multiplications of one image, times images, times epochs. Epochs are means over seeds. "
        + data_named(step["after"] for step in taken)
        if taken
        else "No two runs of such a pair have records on the same images in this edition."
    )
    columns = [
        "What is added",
        "Changed with it",
        "From, to",
        "Accuracy",
        "n",
        "Gap",
        "Parameters",
        "Work",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "What the parts buy, and what they cost.",
        "tbl-parts",
        align="llllrrrr",
        note=note,
    )


def change_table(changed, everything, profile):
    """Runs of our own in which one thing differs from another run and nothing else: what it is, and both accuracies."""
    pairs = [(record, everything.get(runs.entry(run)["beside"])) for run, record in changed.items()]
    rows = [
        {
            "Run": linked(record["run"], profile),
            "What is particular": Prose(plain(runs.entry(record["run"])["about"])),
            "Accuracy": share(record, "test_accuracy"),
            "n": str(len(record["seeds"])),
            "Beside": Prose(f"`{runs.entry(record['run'])['beside']}`"),
            "Its accuracy": share(other, "test_accuracy") if other else "-",
            "Its n": str(len(other["seeds"])) if other else "-",
        }
        for record, other in pairs
    ]
    note = (
        "Test accuracy, mean and deviation over n seeds. " + data_named(changed.values())
        if rows
        else "None of these runs has a record in this edition."
    )
    columns = ["Run", "What is particular", "Accuracy", "n", "Beside", "Its accuracy", "Its n"]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "One change at a time: experiments beside the reports' runs.",
        "tbl-one-change",
        align="llrrlrr",
        note=note,
    )

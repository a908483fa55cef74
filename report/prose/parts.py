"""What the parts of a network and of its training buy, and what they cost: pairs of runs between which something was added."""

import pandas as pd

from helpers import results, runs
from helpers.show.exhibits import Prose, Table, plain
from helpers.show.tables import counted, share
from report import overview
from report.prose import claims

# What becomes of the network or its images, the run without it, the run with it. Every pair is one of `claims.CLAIMS`, in one order or the other.
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
NAMES = {
    "convolution": "Convolutions",
    "dropout": "Dropout",
    "normalisation": "Batch normalisation",
    "augmentation": "Augmentation",
    "width": "Width",
    "everything": "All means together",
}


def steps(records, found):
    """The pairs of which both runs have records and a tested claim (`found`, as `claims.judge` returns them).

    Dicts with `part`, `what`, `before`, `after` (records), `difference`, `low`, `high` of test accuracy, `verdict` ("gain", "loss" or "not decided", by the
    claim's), `gaps` (training minus test accuracy before and after), `parameters` and `work` (ratios, after over before).
    """
    tested, taken = {(claim["run_a"], claim["run_b"]): claim for claim in found}, []
    for part, what, before, after in STEPS:
        claim, sign = (
            (tested[after, before], 1)
            if (after, before) in tested
            else (tested.get((before, after)), -1)
        )
        if claim:
            low, high = sorted((sign * claim["low"], sign * claim["high"]))
            word = {"holds": ("gain", "loss"), "the opposite holds": ("loss", "gain")}.get(
                claim["verdict"], ("not decided",) * 2
            )[sign < 0]
            one, other = records[before], records[after]
            taken.append(
                {
                    "part": part,
                    "what": what,
                    "before": one,
                    "after": other,
                    "difference": sign * claim["difference"],
                    "low": low,
                    "high": high,
                    "verdict": word,
                    "gaps": (gap(one), gap(other)),
                    "parameters": other["parameter_count"] / one["parameter_count"],
                    "work": work(other) / work(one),
                }
            )
    return taken


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


def table(taken):
    """A row a step: what it adds, what else changed, what that does to the accuracy and to the gap, and what it costs."""
    rows = [
        {
            "What is added": step["what"],
            "Changed with it": claims.training_changes(step["before"], step["after"]) or "nothing",
            "From, to": Prose(f"`{step['before']['run']}`, `{step['after']['run']}`"),
            "Accuracy": f"{100 * step['difference']:+.2f} [{100 * step['low']:+.2f}, {100 * step['high']:+.2f}], {step['verdict']}",
            "Gap": "{:.2f} to {:.2f}".format(*(100 * one for one in step["gaps"])),
            "Parameters": f"× {step['parameters']:.2g}",
            "Work": f"× {step['work']:.2g}",
        }
        for step in taken
    ]
    note = (
        "Accuracy: difference on plain test images in points, with its 95 % interval and the verdict of @tbl-claims. Gap: accuracy on training minus test images, in points, before and after. "
        "Work: multiplications of one image, times images, times epochs. Epochs are means over seeds. "
        + overview.labels({step["after"]["run"]: step["after"] for step in taken})
        if taken
        else "No two runs of such a pair have records on the same images in this edition."
    )
    columns = [
        "What is added",
        "Changed with it",
        "From, to",
        "Accuracy",
        "Gap",
        "Parameters",
        "Work",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "What the parts buy, and what they cost.",
        "tbl-parts",
        align="llllrrr",
        note=note,
    )


def alone(changed, everything, profile):
    """Runs of our own in which one thing differs from another run and nothing else: what it is, and both accuracies."""
    pairs = [(record, everything.get(runs.entry(run)["beside"])) for run, record in changed.items()]
    rows = [
        {
            "Run": overview.name(record["run"], profile),
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
        "Test accuracy, mean and deviation over n seeds. " + overview.labels(changed)
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


def reading(taken):
    """A sentence for each part: how many of its steps gained or lost accuracy and narrowed the gap, and at what work."""
    told = []
    for part, name in NAMES.items():
        mine = [step for step in taken if step["part"] == part]
        if mine:
            words, narrower = (
                [step["verdict"] for step in mine],
                sum(step["gaps"][1] < step["gaps"][0] for step in mine),
            )
            least, most = min(step["work"] for step in mine), max(step["work"] for step in mine)
            cost = f"{least:.2g}" if len(mine) == 1 else f"{least:.2g} to {most:.2g}"
            told.append(
                f"{name} ({counted(len(mine), 'step')}): {words.count('gain')} gained accuracy, {words.count('loss')} lost some, {words.count('not decided')} not decided; "
                f"the gap is narrower after {narrower}; {cost} times the work."
            )
    return " ".join(told)

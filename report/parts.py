"""What the parts of a network and of its training buy: pairs of runs between which something was
added, and the short schedules beside the faithful ones."""

import functools

import pandas as pd

from helpers import results, runs
from helpers.show import Prose, Table
from helpers.show.words import data_named, share
from report import claims, verdicts
from report.courses import linked

# Kind of part; what is added; the run without it; the run with it; whether that alone changed.
STEPS = [
    ("convolution", "One convolution for two dense layers", "mnist-mlp", "mnist-first", False),
    ("convolution", "Two convolutions, dropout", "fashion-dense", "fashion-cnn-1x100", False),
    ("convolution", "Two more, a dense layer", "mnist-first", "mnist-second-v1", False),
    (
        "convolution",
        "Two more, narrower dense layers",
        "emnist-first-letters",
        "emnist-second-letters",
        False,
    ),
    ("dropout", "Dropout, smaller kernels", "mnist-second-v1", "mnist-second-v2", False),
    (
        "dropout",
        "A dropout of 0.5 for 0.25",
        "mnist-second-v2-course-dropout-25",
        "mnist-second-v2-course",
        True,
    ),
    (
        "dropout",
        "Dropout, a convolution fewer",
        "emnist-second-letters",
        "emnist-third-letters",
        False,
    ),
    (
        "normalisation",
        "Batch normalisation",
        "mnist-second-v1",
        "mnist-second-v1-normalised",
        True,
    ),
    ("augmentation", "Small changes, longer", "mnist-cnn", "mnist-cnn-augmented", False),
    ("augmentation", "Small changes", "mnist-cnn-20-epochs", "mnist-cnn-augmented", True),
    (
        "augmentation",
        "Strong changes, longer (small network)",
        "fingers-carlosnet-plain",
        "fingers-carlosnet-augmented",
        False,
    ),
    (
        "augmentation",
        "Strong changes, longer (large network)",
        "fingers-ivannet-plain",
        "fingers-ivannet-augmented",
        False,
    ),
    ("dense layer", "128 units for none", "mnist-second-v1-dense-0", "mnist-second-v1", True),
    ("dense layer", "128 units for 64", "mnist-second-v1-dense-64", "mnist-second-v1", True),
    ("dense layer", "100 units for 87", "fashion-cnn-1x87", "fashion-cnn-1x100", True),
    ("dense layer", "200 units for 100", "fashion-cnn-1x100", "fashion-cnn-1x200", True),
    ("everything", "All means together", "mnist-cnn", "mnist-third", False),
]


def steps(records, profile):
    """The pairs of which both runs have records on the same test images: dicts with `part`, `what`,
    `alone`, `before`, `after` (records), the numbers of `claims.compare`, and `gaps` (training
    minus test accuracy before and after), `parameters` and `work` (ratios, after over before)."""
    right, taken = functools.partial(claims.rightness, profile), []
    for part, what, before, after, alone in STEPS:
        one, other = records.get(before), records.get(after)
        numbers = claims.compare(other, one, right) if one and other else {"n": 0}
        if numbers["n"]:
            about = {"part": part, "what": what, "alone": alone, "before": one, "after": other}
            about["gaps"] = (gap(one), gap(other))
            about["parameters"] = other["parameter_count"] / one["parameter_count"]
            taken.append({**about, **numbers, "work": work(other) / work(one)})
    return taken


def gap(record):
    """Training minus test accuracy, mean over seeds."""
    means = (results.mean_std(record, f"{part}_accuracy")[0] for part in ("train", "test"))
    return next(means) - next(means)


def work(record):
    """Multiplications of all passes forward in training: those of one image, times images, times
    epochs (the passes back take about twice as many again)."""
    once = sum(layer["macs"] for layer in record["layers"])
    return once * record["dataset"]["train"] * results.mean_std(record, "epochs")[0]


def step_table(taken):
    """A row a step: what it adds, what that does to the accuracy and the gap, what it costs."""
    rows = [
        {
            "What is added": step["what"],
            "Alone": "yes" if step["alone"] else "no",
            "From, to": Prose(f"`{step['before']['run']}`, `{step['after']['run']}`"),
            "Accuracy": verdicts.interval(step),
            "n": str(step["n"]),
            "Gap": "{:.2f} to {:.2f}".format(*(100 * one for one in step["gaps"])),
            "Parameters": f"× {step['parameters']:.2g}",
            "Work": f"× {step['work']:.2g}",
        }
        for step in taken
    ]
    return Table(
        pd.DataFrame(rows),
        "What the parts buy, and what they cost.",
        "tbl-parts",
        align="lllrrrrr",
        note="Alone: nothing else changed between the two runs. Accuracy: difference on the test "
        "images in points, mean over n seeds that both have, with its 95 % interval for other "
        "seeds and other test images. Gap: training minus test accuracy in points, before and "
        "after. Work: multiplications of one image, times images, times epochs. "
        + data_named(step["after"] for step in taken),
    )


def schedule_table(fast, everything, profile):
    """The short schedules and the runs beside them: epochs, batch, test accuracy, difference."""
    right, rows = functools.partial(claims.rightness, profile), []
    for run, record in fast.items():
        name = runs.entry(run)["beside"]
        other = everything.get(name)
        alike = other and record["dataset"]["train"] == other["dataset"]["train"]
        numbers = claims.compare(record, other, right) if alike else {"n": 0}
        rows.append(
            {
                "Run": linked(run, profile),
                "Schedule": _schedule(record),
                "Accuracy": share(record, "test_accuracy"),
                "n": str(len(record["seeds"])),
                "Beside": Prose(f"`{name}`"),
                "Its schedule": _schedule(other) if other else None,
                "Its accuracy": share(other, "test_accuracy") if other else None,
                "Difference": verdicts.interval(numbers) if numbers["n"] else None,
            }
        )
    return Table(
        pd.DataFrame(rows),
        "The same networks on a short schedule, one cycle of the learning rate.",
        "tbl-fast",
        align="llrrllrr",
        note="Difference in points of test accuracy, mean over the seeds that both have, with its "
        "95 % interval for other seeds and other test images. " + data_named(fast.values()),
    )


def _schedule(record):
    epochs = results.mean_std(record, "epochs")[0]
    return f"{epochs:.3g} epochs of batches of {record['parameters']['batch_size']}"

"""Short schedules beside the faithful ones: the same network on the same images in less time, and what that costs in accuracy."""

import numpy as np
import pandas as pd

from helpers import results, runs
from helpers import show as plots
from helpers.show import figures
from helpers.show.exhibits import Prose, Table
from helpers.show.tables import counted, share
from report import overview
from report.prose import claims

BETTER, WORSE, ALIKE = (
    "The short schedule is the better one.",
    "The short schedule is worse.",
    "The two are not told apart.",
)


def rate(run, profile, data, schedule, steps):
    """The figure of a schedule: the learning rate over its steps (200 of them at most), `schedule` being a Keras schedule."""
    values = np.array(
        [float(schedule(step)) for step in np.linspace(0, steps - 1, min(steps, 200)).astype(int)]
    )
    return figures.show(
        {"label": data.label, "kind": data.kind},
        run,
        profile,
        "rate",
        f"{run}: the learning rate over the {steps:,} steps of the training.",
        plots.rate,
        values,
        steps,
    )


def beside(record):
    """(record, predictions) of the run that a fast one stands beside, or None where this edition has none."""
    profile, name = record["parameters"]["profile"], runs.entry(record["run"])["beside"]
    other = results.load(profile, name)
    return (
        (other, results.predictions(profile, name))
        if other and results.whole(profile, other)
        else None
    )


def compare(one, other):
    """`claims.compare` for two runs, (record, predictions) each, that learnt from the same number of images; None for others."""
    return (
        claims.compare(one, other)
        if one[0]["dataset"]["train"] == other[0]["dataset"]["train"]
        else None
    )


def reading(one, other):
    """A sentence or two on what the shorter schedule costs, worded by the outcome; `other` None where the run beside has no record."""
    record, name = one[0], runs.entry(one[0]["run"])["beside"]
    found = other and compare(one, other)
    told = f"In {_schedule(record)} the network comes to a test accuracy of {share(record, 'test_accuracy')}"
    if not found:
        return f"{told}. The run `{name}`, beside which it stands, has no record on the same images in this edition."
    return (
        f"{told}, and the run `{name}`, in {_schedule(other[0])}, {share(other[0], 'test_accuracy')}: a difference of {100 * found['difference']:+.2f} points, 95 % interval "
        f"{100 * found['low']:+.2f} to {100 * found['high']:+.2f}. {_verdict(found)}"
    )


def compared(fast, everything, profile):
    """For each fast run (record, the record beside it or None, what `compare` says or None): what `table` and `summary` tell."""
    taken = []
    for run, record in fast.items():
        other = everything.get(runs.entry(run)["beside"])
        taken.append(
            (
                record,
                other,
                other
                and compare(
                    *((held, results.predictions(profile, held["run"])) for held in (record, other))
                ),
            )
        )
    return taken


def table(taken):
    """The short schedules and the runs beside them, as `compared` gives them: batch, epochs, test accuracy, the difference and its interval."""
    rows = [
        {
            "Run": overview.name(record["run"], record["parameters"]["profile"]),
            "Schedule": _schedule(record),
            "Accuracy": share(record, "test_accuracy"),
            "n": str(len(record["seeds"])),
            "Beside": Prose(f"`{runs.entry(record['run'])['beside']}`"),
            "Its schedule": _schedule(other) if other else "-",
            "Its accuracy": share(other, "test_accuracy") if other else "-",
            "Difference": f"{100 * gap['difference']:+.2f} [{100 * gap['low']:+.2f}, {100 * gap['high']:+.2f}]"
            if gap
            else "-",
        }
        for record, other, gap in taken
    ]
    note = (
        "Difference in points of test accuracy, with a 95 % interval by paired bootstrap over images and, where a run has several, seeds; - where the two did not learn from the same images. Epochs are means "
        "over seeds. " + overview.labels({record["run"]: record for record, _, _ in taken})
        if rows
        else "None of these runs has a record in this edition."
    )
    columns = [
        "Run",
        "Schedule",
        "Accuracy",
        "n",
        "Beside",
        "Its schedule",
        "Its accuracy",
        "Difference",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "The same networks on a short schedule, one cycle of the learning rate.",
        "tbl-fast",
        align="llrrllrr",
        note=note,
    )


def summary(taken):
    """One sentence or two: how many images the short schedules show the networks, and how their accuracies compare; "" where none can be compared."""
    told = [
        (_images(record) / _images(other), _verdict(gap)) for record, other, gap in taken if gap
    ]
    if not told:
        return ""
    shares, words = zip(*told)
    return (
        f"In training, the short schedules of @tbl-fast show the networks {min(shares):.2g} to {max(shares):.2g} times as many images as the faithful ones. Of {counted(len(told), 'short schedule')}, "
        f"{words.count(BETTER)} did better than the faithful one, {words.count(WORSE)} did worse, and {words.count(ALIKE)} cannot be told from it."
    )


def _verdict(found):
    return BETTER if found["low"] > 0 else WORSE if found["high"] < 0 else ALIKE


def _images(record):
    return record["dataset"]["train"] * results.mean_std(record, "epochs")[0]


def _schedule(record):
    epochs = results.mean_std(record, "epochs")[0]
    return f"{epochs:.3g} {'epoch' if epochs == 1 else 'epochs'} of batches of {record['parameters']['batch_size']}"

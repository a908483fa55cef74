"""Short schedules beside the faithful ones: the same network on the same images in less time, and what that costs in accuracy."""

import numpy as np
import pandas as pd

from helpers import figures, overview, plots, results, runs, statistics
from helpers.exhibits import Prose, Table
from helpers.tables import share

LOSS = 0.0005  # accuracy by which a short schedule may stay behind before it counts as worse


def rate(run, profile, data, schedule, steps):
    """The figure of a schedule: the learning rate at each of its steps, `schedule` being a Keras schedule."""
    values = np.array([float(schedule(step)) for step in np.linspace(0, steps - 1, min(steps, 200)).astype(int)])
    return figures.show({"label": data.label, "kind": data.kind}, run, profile, "rate",
                        f"{run}: the learning rate over the {steps:,} steps of the training.", plots.rate, values, steps)


def beside(record):
    """(record, predictions) of the run that a fast one stands beside, or None where this edition has none."""
    profile, name = record["parameters"]["profile"], runs.entry(record["run"])["beside"]
    other = results.load(profile, name)
    return (other, results.predictions(profile, name)) if other and results.whole(profile, other) else None


def compare(one, other):
    """Test accuracy of a fast run minus that of the run beside it: `difference`, `low`, `high` by paired bootstrap over images and seeds.

    one, other: (record, predictions). None where the two learnt from or were tested on different images.
    """
    (record, found), (held, theirs) = one, other
    if any(record["dataset"][name] != held["dataset"][name] for name in ("sha256", "train")) or not np.array_equal(found["y_true"], theirs["y_true"]):
        return None
    difference, low, high = statistics.paired_bootstrap(found["y_pred"] == found["y_true"], theirs["y_pred"] == theirs["y_true"])
    return {"difference": difference, "low": low, "high": high}


def reading(one, other):
    """A sentence or two on what the shorter schedule costs, worded by the outcome; `other` None where the run beside has no record."""
    record, name = one[0], runs.entry(one[0]["run"])["beside"]
    found = other and compare(one, other)
    told = f"In {_schedule(record)} the network reaches {share(record, 'test_accuracy')} of the test images"
    if not found:
        return f"{told}. The run `{name}`, beside which it stands, has no record on the same images in this edition."
    return (f"{told}, and the run `{name}`, in {_schedule(other[0])}, {share(other[0], 'test_accuracy')}: a difference of {100 * found['difference']:+.2f} points, 95 % interval "
            f"{100 * found['low']:+.2f} to {100 * found['high']:+.2f}. {_verdict(found)}")


def table(fast, everything, profile):
    """The short schedules and the runs beside them: batch, epochs, test accuracy, the difference and its interval."""
    rows = []
    for run, record in fast.items():
        name = runs.entry(run)["beside"]
        other = everything.get(name)
        found = other and compare(*((held, results.predictions(profile, held["run"])) for held in (record, other)))
        gap = f"{100 * found['difference']:+.2f} [{100 * found['low']:+.2f}, {100 * found['high']:+.2f}]" if found else "-"
        rows.append({"Run": overview.name(run, profile), "Schedule": _schedule(record), "Accuracy": share(record, "test_accuracy"), "n": str(len(record["seeds"])),
                     "Beside": Prose(f"`{name}`"), "Its schedule": _schedule(other) if other else "-", "Its accuracy": share(other, "test_accuracy") if other else "-", "Difference": gap})
    note = ("Difference in points of test accuracy, with a 95 % interval by paired bootstrap over images and seeds. Every schedule was chosen on validation images. " + overview.labels(fast)
            if rows else "None of these runs has a record in this edition.")
    columns = ["Run", "Schedule", "Accuracy", "n", "Beside", "Its schedule", "Its accuracy", "Difference"]
    return Table(pd.DataFrame(rows, columns=columns), "The same networks on a short schedule, one cycle of the learning rate.", "tbl-fast", align="llrrllrr", note=note)


def summary(fast, everything, profile):
    """One sentence: in how many runs the short schedule stays within `LOSS` of the faithful one."""
    pairs = [(record, everything[runs.entry(run)["beside"]]) for run, record in fast.items() if runs.entry(run)["beside"] in everything]
    gaps = [results.mean_std(record, "test_accuracy")[0] - results.mean_std(other, "test_accuracy")[0] for record, other in pairs]
    if not gaps:
        return ""
    kept, images = sum(gap >= -LOSS for gap in gaps), [_images(other) / _images(record) for record, other in pairs]
    return (f"The runs of @tbl-fast learn from {min(images):.1f} to {max(images):.1f} times fewer images than those beside them. In {kept} of {len(gaps)} the mean accuracy stays within "
            f"{100 * LOSS:.2f} points of the faithful schedule's or lies above it.")


def _verdict(found):
    if found["low"] > 0:
        return "The short schedule is the better one."
    if found["high"] < 0:
        return "The short schedule is worse."
    return "The two are not told apart."


def _images(record):
    return record["dataset"]["train"] * results.mean_std(record, "epochs")[0]


def _schedule(record):
    epochs = results.mean_std(record, "epochs")[0]
    return f"{epochs:.3g} {'epoch' if epochs == 1 else 'epochs'} of batches of {record['parameters']['batch_size']}"

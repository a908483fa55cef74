"""What a course report's protocol does to its figures: an epoch chosen on test images, and the
swing between epochs."""

import numpy as np
import pandas as pd

from helpers import runs
from helpers.show.words import percent, share
from report import courses


def chosen(record):
    """Means over seeds of what choosing an epoch on one half of the test images promised there and
    kept on the other: `lead`, `promised`, `kept`, `optimism` and so on, fractions."""
    return pd.DataFrame([seed["selection"] for seed in record["seeds"]]).mean()


def swing(record):
    """Lowest and highest accuracy on the watched images in the second half of the training of any
    seed, and the mean of the last epochs: `low`, `high`, `mean`."""
    curves = np.array([seed["history"]["val_accuracy"] for seed in record["seeds"]])
    later = curves[:, curves.shape[1] // 2 :]
    return {"low": later.min(), "high": later.max(), "mean": curves[:, -1].mean()}


def experiments(records):
    """A row an experiment: test accuracy as reported, of the last epoch, over the later epochs, of
    the best one, and what choosing the best one flatters."""
    rows = []
    for run, record in records.items():
        later, best = swing(record), chosen(record)
        reported = courses.reported(record).get("test_accuracy")
        row = {
            "Run": runs.title(run),
            "Reported": reported and percent(reported),
            "Last epoch": share(record, "test_accuracy"),
            "n": str(len(record["seeds"])),
            "Later epochs": f"{100 * later['low']:.2f} to {percent(later['high'])}",
            "Verdict": courses.verdict(record),
            "Best epoch": percent(later["mean"] + best["lead"]),
            "Flattery": f"{100 * best['optimism']:.2f}",
        }
        rows.append(row)
    return pd.DataFrame(rows)

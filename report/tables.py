"""The report's tables over many runs, frames with column names for people, for report.ipynb, which
has their captions, and the README. `records` is a dict from run to record; `seeds` are rows of
`results.frame`, one for each run and seed.
"""

import pandas as pd

from helpers import datasets, results, runs
from helpers.show import Prose, Table, plain
from helpers.show.exhibits import slug
from helpers.show.words import data_named, percent, share, spread, value
from helpers.store import fields
from report import courses


def by_run(seeds, columns):
    """A frame with a row a run, its name first.

    `columns`: name for people -> (column of `seeds`, what makes one cell of its values over seeds).
    """
    wanted = dict.fromkeys(["run", *(column for column, _ in columns.values())])
    rows = seeds.reindex(columns=list(wanted)).groupby("run", sort=False).agg(**columns)
    rows.insert(0, "Run", [Prose(f"`{run}`") for run in rows.index])
    return rows


def mean(digits, unit=""):
    """For `by_run`: mean and, of several seeds, deviation; with a unit a share, in percent."""
    return lambda values: spread(values, digits, 100 if unit else 1) + unit


def whole(how):
    """For `by_run`: one whole number, as `how` says, "mean" or "median"."""
    return lambda values: f"{values.agg(how):,.0f}"


def size(counts):
    """For `by_run`: parameters, of the smallest and the largest network where seeds differ."""
    low, high = counts.min(), counts.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


BODY = ["Network", "Reported", "Measured", "n", "Verdict"]  # what the report's sections show


def outcomes(records):
    """A row a run: what it is, and its test accuracy as reported and as measured; a sign behind
    its name where its images are not all the official ones."""
    rows = []
    for run, record in records.items():
        sign = courses.SIGNS.get(record["dataset"]["kind"], "")
        reported = courses.reported(record).get("test_accuracy")
        row = {
            "Run": f"`{run}`",
            "Network": runs.title(run) + sign,
            "Beside": f"`{runs.entry(run).get('beside')}`",
            "Data": record["dataset"]["title"] + sign,
            "Parameters": results.network_size(record),
            "Reported": reported and percent(reported),
            "Measured": share(record, "test_accuracy"),
            "n": str(len(record["seeds"])),
            "Seconds": f"{results.median(record, 'seconds'):,.0f}",
            "Verdict": courses.verdict(record),
        }
        rows.append(row)
    return pd.DataFrame(rows, columns=[*BODY, "Run", "Beside", "Data", "Parameters", "Seconds"])


def body(records):
    """`outcomes` in the columns of `BODY`; without what nothing is reported for."""
    rows = outcomes(records)[BODY]
    return rows.drop(columns=["Reported", "Verdict"]) if rows["Reported"].isna().all() else rows


def compared(records, report):
    """A course report's runs for the body: test accuracy as reported, as measured, the verdict."""
    records = courses.of_report(records, report)
    rows, told = body(records), "Test accuracy as reported and as measured"
    if "Reported" not in rows:
        told = "Test accuracy"
    if report not in courses.REPORTS:  # runs of one's own, which re-do nothing
        rows, told = (
            rows.drop(columns="Verdict", errors="ignore"),
            f"Test accuracy, {plain(report)}",
        )
    return Table(rows, f"{told}.", f"tbl-{slug(report)}", note=data_named(records.values()))


def reported(records):
    """Losses and training figures of every run whose report gives them, beside ours."""
    rows = []
    for run, record in records.items():
        given = courses.reported(record)
        figures = [given.get(name) for name in ("test_loss", "train_accuracy", "train_loss")]
        if figures == [None] * 3:
            continue
        last = results.epochs(record).groupby("seed")[["accuracy", "loss"]].last().mean()
        row = {
            "Run": Prose(f"`{run}`"),
            "Test loss, reported": figures[0] and f"{figures[0]:.4f}",
            "Test loss": value(record, "test_loss"),
            "Training, reported": figures[1] and percent(figures[1]),
            "Averaged": percent(last["accuracy"]),
            "Final": share(record, "train_accuracy"),
            "Training loss, reported": figures[2] and f"{figures[2]:.4f}",
            "Averaged loss": f"{last['loss']:.4f}",
            "Final loss": value(record, "train_loss"),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def data(records):
    """The data sets as they were used, with their provenance: sizes are the largest of any run."""
    sizes = ["train", "validation", "test"]
    columns = ["label", "name", "kind", "classes", *sizes, "split", "licence", "sha256"]
    used = pd.DataFrame([record["dataset"] for record in records.values()], columns=columns)
    largest = used.sort_values(sizes, ascending=False).drop_duplicates("sha256")
    rows = largest.set_index("sha256", drop=False).loc[used["sha256"].unique()]
    return pd.DataFrame(
        {
            "Data": rows["label"],
            "Kind": rows["kind"].where(rows["name"].isin(datasets.NAMES), "own"),
            "Classes": rows["classes"],
            "Train / validation / test": [
                " / ".join(f"{size:,}" for size in row) for row in rows[sizes].values
            ],
            "Split": rows["split"],
            "Licence": rows["licence"],
            "SHA-256": rows["sha256"].str[:12],
        }
    )


def networks(records):
    """The networks: parameters and multiplications for one image. Of a run of several networks it
    is the first, whose parameters its record counts."""
    rows = pd.DataFrame(
        {
            "Network": next(iter(fields.networks(record["parameters"])[0]), "found by search"),
            "Parameters": record["parameter_count"],
            "Multiplications": sum(layer["macs"] for layer in record["layers"]),
        }
        for record in records.values()
    )
    if rows.empty:
        return rows
    counts, shown = rows["Network"].value_counts(), rows.drop_duplicates("Network")
    named = shown["Network"].map("`{}`".format).map(Prose)
    return shown.assign(Network=named, Runs=shown["Network"].map(counts))

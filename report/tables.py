"""The report's tables over many runs, frames with column names for people, for report.ipynb, which
has their captions, and the README. `seeds` is what `courses.trainings` returns, or some of its
rows: one for each run and seed.
"""

import re

import pandas as pd

from helpers import runs
from helpers.show import Prose, Table, plain
from helpers.show.exhibits import slug
from helpers.show.words import spread
from report import courses


def by_run(seeds, columns):
    """A frame with a row a run, its name first, from some rows of `trainings`.

    `columns`: name for people -> (column of `seeds`, what makes one cell of its values over seeds).
    """
    wanted = dict.fromkeys(["run", *(column for column, _ in columns.values())])
    rows = seeds.reindex(columns=list(wanted)).groupby("run", sort=False).agg(**columns)
    rows.insert(0, "Run", [Prose(f"`{run}`") for run in rows.index])
    return rows


def mean(digits, unit=""):
    """For `by_run`: mean and, of several seeds, deviation; with a unit a share, in percent."""
    return lambda values: spread(values, digits, 100 if unit else 1) + unit


def once(digits, unit="", how="max"):
    """For `by_run`: one number, the same for each seed or as `how` says; a dash if none."""

    def cell(values):
        number = values.agg(how) * (100 if unit else 1)
        return None if pd.isna(number) else f"{number:,.{digits}f}{unit}"

    return cell


def size(counts):
    """For `by_run`: parameters, of the smallest and the largest network where seeds differ."""
    low, high = counts.min(), counts.max()
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def compared(seeds, report):
    """A course report's runs for the body: test accuracy as reported, as measured, the verdict."""
    seeds = seeds[seeds["report"] == report]
    rows = by_run(
        seeds,
        {
            "Reported": ("reported_test_accuracy", once(2, " %")),
            "Measured": ("test_accuracy", mean(2, " %")),
            "n": ("seed", "count"),
            "Verdict": ("verdict", "first"),
        },
    ).rename(columns={"Run": "Network"})
    marks = seeds.groupby("run", sort=False)["kind"].first().map(courses.SIGNS).fillna("")
    rows["Network"] = [runs.title(run) + mark for run, mark in marks.items()]
    if rows["Reported"].isna().all():  # it gives no test accuracy
        rows = rows.drop(columns=["Reported", "Verdict"])
    told = "Test accuracy" + " as reported and as measured" * ("Reported" in rows)
    if report not in courses.REPORTS:  # runs of one's own, which re-do nothing
        rows = rows.dropna(axis=1, how="all").drop(columns="Verdict", errors="ignore")
        told = f"Test accuracy, {plain(report)}"
    note = f"Data: {plain('; '.join(seeds['label'].unique()))}."
    return Table(rows, f"{told}.", f"tbl-{slug(report)}", note=note)


def reported(seeds):
    """Losses and training figures of every run whose report gives them, beside ours."""
    given = seeds[["reported_test_loss", "reported_train_accuracy", "reported_train_loss"]]
    return by_run(
        seeds[given.notna().any(axis=1)],
        {
            "Test loss, reported": ("reported_test_loss", once(4)),
            "Test loss": ("test_loss", mean(4)),
            "Training, reported": ("reported_train_accuracy", once(2, " %")),
            "Averaged": ("averaged_accuracy", once(2, " %")),
            "Final": ("train_accuracy", mean(2, " %")),
            "Training loss, reported": ("reported_train_loss", once(4)),
            "Averaged loss": ("averaged_loss", once(4)),
            "Final loss": ("train_loss", mean(4)),
        },
    )


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
            "Kind": list(map(courses.kind, rows.to_dict("records"))),
            "Classes": rows["classes"],
            "Train / validation / test": [
                " / ".join(f"{size:,}" for size in row) for row in rows[sizes].values
            ],
            "Split": rows["split"],
            "Licence": rows["licence"],
            "SHA-256": rows["sha256"].str[:12],
        }
    )


def networks(seeds):
    """The networks of the edition: parameters and multiplications for one image. Of a run of
    several networks it is the first, whose parameters its record counts."""
    named = seeds.reindex(columns=["network", "networks"]).astype(object)
    several = named["networks"].map(lambda names: re.split("[ +]", names)[0], na_action="ignore")
    named = seeds.assign(network=named["network"].fillna(several).fillna("found by search"))
    rows = named.groupby("network", sort=False).agg(
        Report=("report", "first"),
        Parameters=("parameter_count", "first"),
        Multiplications=("multiplications", "first"),
        Runs=("run", "nunique"),
    )
    rows.insert(0, "Network", [Prose(f"`{network}`") for network in rows.index])
    return rows

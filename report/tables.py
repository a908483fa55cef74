"""The report's tables over many runs, for report.ipynb and the README: frames with column names for
people. `seeds` is what `courses.trainings` returns, or some of its rows: one for each run and seed.
"""

import re

import pandas as pd

from helpers import runs, statistics
from helpers.show import Prose, Table, plain
from helpers.show.exhibits import slug
from helpers.show.words import spread
from report import courses


def labels(seeds):
    """The data sets behind a table, for the note below it."""
    names = plain("; ".join(seeds["label"].unique()))
    return f"Data: {names}."


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
    return Table(rows, f"{told}.", f"tbl-{slug(report)}", note=labels(seeds))


def numbers(seeds, profile):
    """Every run in one table: what was trained, for how long, and what came out."""
    rows = by_run(
        seeds,
        {
            "Parameters": ("parameter_count", size),
            "n": ("seed", "count"),
            "Epochs": ("epochs", once(0, how="mean")),
            "Seconds": ("seconds", once(0, how="median")),
            "Training": ("train_accuracy", mean(2, " %")),
            "Validation": ("validation_accuracy", mean(2, " %")),
            "Test": ("test_accuracy", mean(2, " %")),
            "Test loss": ("test_loss", mean(4)),
        },
    )
    rows["Run"] = [courses.linked(run, profile) for run in rows.index]
    return Table(
        rows,
        "Every run: mean and standard deviation over n trainings.",
        "tbl-numbers",
        note="Accuracies and losses of the final weights on plain images. Epochs are means, "
        "seconds medians of one training; where the machine had other work they are upper bounds. "
        + labels(seeds),
    )


def reported(seeds):
    """Losses and training figures of every run whose report gives them, beside ours."""
    names = ["test_loss", "train_accuracy", "train_loss"]
    given = seeds.reindex(columns=[f"reported_{name}" for name in names])
    rows = by_run(
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
    return Table(
        rows,
        "Losses and training figures, as reported and as measured.",
        "tbl-reported",
        note="Averaged: over the last epoch, while the network learns and drops units, on images "
        "as it sees them, weight penalties in the loss. Final: of the final weights, on plain "
        "images. A report seldom says which of the two it prints.",
    )


def data(records):
    """The data sets as they were used, with their provenance."""
    sizes = ["train", "validation", "test"]
    used = pd.DataFrame([record["dataset"] for record in records.values()])
    columns = ["label", "kind", "classes", *sizes, "split", "licence", "sha256"]
    used = used.assign(kind=list(map(courses.kind, used.to_dict("records"))))
    used = used.reindex(columns=columns)
    largest = used.sort_values(sizes, ascending=False).groupby("sha256").first()
    rows = largest.loc[used["sha256"].unique()].reset_index()[columns]
    rows["train"] = [" / ".join(f"{size:,}" for size in row) for row in rows[sizes].values]
    rows["sha256"] = [text[:12] for text in rows["sha256"]]
    rows = rows.drop(columns=["validation", "test"])
    rows.columns = [
        *("Data", "Kind", "Classes", "Train / validation / test", "Split", "Licence", "SHA-256")
    ]
    return Table(
        rows,
        "The images behind this edition.",
        "tbl-data",
        align="llrrlll",
        note="Sizes are the largest that a run of this edition used. The hash is over the arrays, "
        "so that the same images from two sources have the same one.",
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
    return Table(
        rows,
        "The networks, for the number of classes of their first run; of those found by search, "
        "that of the first seed. Multiplications are multiply-accumulates for one image.",
        "tbl-networks",
        note=labels(seeds),
    )


def calibration(seeds):
    """Negative log-likelihood and calibration error of each run, before and after scaling."""
    rows = by_run(
        seeds,
        {
            "NLL": ("nll", mean(3)),
            "ECE": ("ece", mean(4)),
            "Temperature": ("temperature", mean(2)),
            "NLL, scaled": ("nll_scaled", mean(3)),
            "ECE, scaled": ("ece_scaled", mean(4)),
        },
    )
    return Table(
        rows,
        "How far the probabilities can be trusted, before and after temperature scaling.",
        "tbl-calibration",
        note="NLL: mean negative log-likelihood of the test images, in nats. ECE: expected "
        "calibration error, 15 bins. Temperature: fitted on validation images; above 1 the network "
        f"is too sure of itself; {statistics.TEMPERATURES[0]}, the least that the fit tries, says "
        f"only that every validation image is named correctly. {labels(seeds)}",
    )


def listed(records):
    """What is particular about each run: a list for an appendix."""
    return Prose(
        "\n".join(
            f"- **{plain(runs.title(run))}**, `{run}`, {plain(record['dataset']['label'])}. "
            f"{plain(runs.entry(run)['about'])}"
            for run, record in records.items()
        )
    )

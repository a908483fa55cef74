"""The report's tables over many runs, for report.ipynb and the README: frames with column names for
people. `seeds` is what `courses.trainings` returns, or some of its rows: one for each run and seed.
"""

import re

import pandas as pd

from helpers import statistics
from helpers.show import Prose, Table, plain
from helpers.show.exhibits import slug
from helpers.show.words import spread
from report import courses
from report.courses import linked


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


def measured(seeds, profile, report):
    """A course report's runs: accuracy and loss as reported and as measured, and the verdict."""
    seeds = seeds[seeds["report"] == report]
    rows = by_run(
        seeds,
        {
            "Parameters": ("parameter_count", size),
            "Reported": ("reported_test_accuracy", once(2, " %")),
            "Measured": ("test_accuracy", mean(2, " %")),
            "Loss, reported": ("reported_test_loss", once(4)),
            "Loss": ("test_loss", mean(4)),
            "n": ("seed", "count"),
            "Seconds": ("seconds", once(0, how="median")),
            "Verdict": ("verdict", "first"),
        },
    )
    rows["Run"] = [linked(run, profile) for run in rows.index]
    if report not in courses.REPORTS:  # runs of one's own, which re-do nothing
        rows = rows.dropna(axis=1, how="all").drop(columns="Verdict")
        caption = f"Report {plain(report)}: test accuracy."
        return Table(rows, caption, f"tbl-{slug(report)}", note=labels(seeds))
    return Table(
        rows,
        f"Course report `{report}`: test accuracy as reported and as measured.",
        f"tbl-{report}",
        note="Measured: mean and standard deviation of the test accuracy over n seeds; seconds of "
        "one training, the median over seeds. Verdict: *within* where the reported accuracy lies "
        "in the 95 % prediction interval for one more training on the same images, by Student's t; "
        "else the measured ones lie *above* or *below* it; *too few trainings* where fewer than "
        "three say nothing of their spread; *part of the data*, *substitute data* and *short run* "
        f"where the two must not be compared. {labels(seeds)}",
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


def time(seeds):
    """What each training took, and on what."""
    rows = by_run(
        seeds.assign(reported=seeds["reported_seconds"].where(seeds["comparable"])),
        {
            "Images": ("train", once(0)),
            "Epochs": ("epochs", once(0, how="mean")),
            "Seconds": ("seconds", once(0, how="median")),
            "Seconds an epoch": ("seconds_per_epoch", once(1, how="median")),
            "Images a second": ("images_per_second", once(0, how="median")),
            "Threads": ("threads", "first"),
            "Reported": ("reported", once(0)),
        },
    )
    return Table(
        rows,
        "Seconds of one training, validation after each epoch included.",
        "tbl-time",
        note="Medians over seeds; epochs are means. Where the machine had other work, or paused a "
        "training, the pause counts: read seconds as upper bounds. "
        "Reported: seconds that the course report gives for the whole training, on its own machine "
        f"(a GTX 1050 for MNIST). {labels(seeds)}",
    )


def training(seeds):
    """Training accuracy and loss of every run whose report gives them, as reported and measured."""
    reported = seeds.reindex(columns=["reported_train_accuracy", "reported_train_loss"])
    seeds = seeds[reported.notna().any(axis=1)]
    rows = by_run(
        seeds,
        {
            "Reported": ("reported_train_accuracy", once(2, " %")),
            "Averaged": ("averaged_accuracy", once(2, " %")),
            "Final": ("train_accuracy", mean(2, " %")),
            "Loss, reported": ("reported_train_loss", once(4)),
            "Loss, averaged": ("averaged_loss", once(4)),
            "Loss, final": ("train_loss", mean(4)),
            "Images": ("label", "first"),
        },
    )
    return Table(
        rows,
        "Training figures, as reported and as measured in two ways.",
        "tbl-training",
        note="Averaged: over the last epoch, while the network learns and drops units, on images "
        "as it sees them, weight penalties in the loss. Final: of the final weights, on plain "
        "images. Means over seeds.",
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

"""Tables over many records: data, networks, reported against measured, time. The report and the README show the same ones."""

import pandas as pd

from helpers import results, runs, statistics
from helpers.show.exhibits import Prose, Table, plain
from helpers.show.tables import share, value
from helpers.store import paths

REPORTS = {
    "mnist-2019": "handwritten digits, six networks",
    "fashion-2021": "clothes, dense network against CNN",
    "emnist-2021": "letters, three CNNs",
    "k49": "cursive characters, a tuned dense network",
    "fingers": "counting fingers, augmentation",
}
SHORT = 10000  # a run that learnt from fewer images than this is too short to judge


def courses(records):
    """The records of the five course reports, without experiments and audits of our own."""
    return {run: record for run, record in records.items() if runs.entry(run)["report"] in REPORTS}


def of_report(records, report):
    """The records of one course report, in the order of runs.yaml."""
    return {run: record for run, record in records.items() if runs.entry(run)["report"] == report}


def name(run, profile):
    """A run's name, linked to its executed notebook where that lies beside the report."""
    page = paths.executed(profile) / f"{run}.html"
    return Prose(f"[`{run}`](notebooks/{run}.html)" if page.exists() else f"`{run}`")


def verdict(record):
    """Measured against reported test accuracy, by rule: "above", "below", "within", or why the two are not compared.

    Within: the reported accuracy lies in the Wilson 95 % interval of the measured mean, widened by two deviations over seeds.
    """
    reported = runs.entry(record["run"]).get("reported", {}).get("test_accuracy")
    kind = record["dataset"]["kind"]
    if not results.comparable(record):
        return {
            "stand-in": "stand-in",
            "partial": "part of the data",
            "substitute": "substitute data",
        }.get(kind, "short run")
    if reported is None:
        return "not reported"
    mean, deviation = results.mean_std(record, "test_accuracy")
    n = record["dataset"]["test"]
    low, high = statistics.wilson(mean * n, n)
    margin = 2 * (deviation or 0)
    return (
        "within"
        if low - margin <= reported <= high + margin
        else "above"
        if mean > reported
        else "below"
    )


def measured(records, profile, caption, label):
    """A row a run: data, parameters, test accuracy and loss as reported and as measured, seeds, seconds a training, verdict.

    A stand-in's figures never stand beside a published one.
    """
    rows = []
    for run, record in records.items():
        reported = (
            {} if record["dataset"]["kind"] == "stand-in" else runs.entry(run).get("reported", {})
        )
        short = record["dataset"]["train"] < SHORT
        rows.append(
            {
                "Run": name(run, profile),
                "Parameters": results.network_size(record),
                "Reported": _share(reported.get("test_accuracy")),
                "Measured": share(record, "test_accuracy") + (" *" if short else ""),
                "Loss, reported": _number(reported.get("test_loss")),
                "Loss": value(record, "test_loss"),
                "n": str(len(record["seeds"])),
                "Seconds": f"{results.median(record, 'seconds'):,.0f}",
                "Verdict": verdict(record),
            }
        )
    note = (
        "Measured: mean and standard deviation of the test accuracy over n seeds; seconds of one training, the median over seeds. Verdict: *within* where the reported accuracy lies in the 95 % "
        "interval of the measured one over test images, widened by two deviations over seeds, which is lenient towards a training on the same test images; else the measured one lies *above* or *below* it; *part of the data*, *substitute data* and *short run* where the two must not be compared."
    )
    if any(record["dataset"]["train"] < SHORT for record in records.values()):
        note += f" An asterisk marks runs that learnt from fewer than {SHORT:,} images: too short to judge."
    note += " " + labels(records)
    if not rows:
        note = "No run of this course report has a record in this edition."
    columns = [
        "Run",
        "Parameters",
        "Reported",
        "Measured",
        "Loss, reported",
        "Loss",
        "n",
        "Seconds",
        "Verdict",
    ]
    return Table(pd.DataFrame(rows, columns=columns), caption, label, align="lrrrrrrrl", note=note)


def data(records):
    """The data sets as they were used, with their provenance."""
    rows = {}
    for record in records.values():
        held = record["dataset"]
        row = rows.setdefault(
            held["label"],
            {
                "Data": held["label"],
                "Kind": held["kind"],
                "Classes": str(held["classes"]),
                "Split": held["split"],
                "Licence": held["licence"],
                "SHA-256": held["sha256"][:12],
                "sizes": set(),
            },
        )
        row["sizes"].add((held["train"], held["validation"], held["test"]))
    for row in rows.values():
        largest = max(row.pop("sizes"))
        row["Train / validation / test"] = " / ".join(f"{size:,}" for size in largest)
    columns = [
        "Data",
        "Kind",
        "Classes",
        "Train / validation / test",
        "Split",
        "Licence",
        "SHA-256",
    ]
    return Table(
        pd.DataFrame(list(rows.values()), columns=columns),
        "The images behind this edition.",
        "tbl-data",
        align="llrrlll",
        note="Sizes are the largest that a run of this edition used. The hash is over the arrays, so that the same images from two sources have the same one.",
    )


def sets(records):
    """One record for each data set: the first that used it."""
    found = {}
    for record in records.values():
        found.setdefault(record["dataset"]["label"], record)
    return found


def networks(records):
    """The networks of the edition: parameters and multiplications for one image."""
    rows = {}
    for record in records.values():
        network = record["parameters"].get("network") or "found by search"
        rows.setdefault(
            network,
            {
                "Network": Prose(f"`{network}`"),
                "Report": runs.entry(record["run"])["report"],
                "Parameters": f"{record['parameter_count']:,}",
                "Multiplications": f"{sum(row['macs'] for row in record['layers']):,}",
                "Runs": str(
                    sum(
                        other["parameters"].get("network", "found by search") == network
                        for other in records.values()
                    )
                ),
            },
        )
    return Table(
        pd.DataFrame(
            list(rows.values()),
            columns=["Network", "Report", "Parameters", "Multiplications", "Runs"],
        ),
        "The networks, for the number of classes of their first run; of those found by search, that of the first seed. Multiplications are multiply-accumulates for one image.",
        "tbl-networks",
        align="llrrr",
        note=labels(records),
    )


def time(records):
    """What each training took, and on what."""
    rows = [
        {
            "Run": Prose(f"`{run}`"),
            "Images": f"{record['dataset']['train']:,}",
            "Epochs": f"{results.mean_std(record, 'epochs')[0]:.0f}",
            "Seconds": f"{results.median(record, 'seconds'):,.0f}",
            "Seconds an epoch": f"{results.median(record, 'seconds_per_epoch'):,.1f}",
            "Images a second": f"{results.median(record, 'images_per_second'):,.0f}",
            "Threads": str(record["hardware"]["threads"]),
            "Reported": _number(runs.entry(run).get("reported", {}).get("seconds"), 0)
            if results.comparable(record)
            else "-",
        }
        for run, record in records.items()
    ]
    single = [
        f"`{run}`"
        for run, record in records.items()
        if record["hardware"]["threads"] < runs.entry(run).get("cores", 1)
    ]
    shared = (
        f"Trained on one thread, beside another run, where the grid would give it more: {', '.join(single)}. "
        if single
        else ""
    )
    columns = [
        "Run",
        "Images",
        "Epochs",
        "Seconds",
        "Seconds an epoch",
        "Images a second",
        "Threads",
        "Reported",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Seconds of one training, validation after each epoch included.",
        "tbl-time",
        align="lrrrrrrr",
        note="Medians over seeds; epochs are means. Where the machine had other work, or paused a training, the pause counts: read seconds as upper bounds. "
        + shared
        + "Reported: seconds that the course report gives for the whole training, on its own machine (a GTX 1050 for MNIST). "
        + labels(records),
    )


def training(records):
    """Training accuracy and loss of every run whose report gives them: as reported, averaged over the last epoch while learning, and of the final weights."""
    rows = []
    for run, record in records.items():
        reported = (
            {} if record["dataset"]["kind"] == "stand-in" else runs.entry(run).get("reported", {})
        )
        if "train_accuracy" in reported or "train_loss" in reported:
            last = [
                (100 * seed["history"]["accuracy"][-1], seed["history"]["loss"][-1])
                for seed in record["seeds"]
            ]
            accuracy, loss = (sum(one) / len(last) for one in zip(*last))
            rows.append(
                {
                    "Run": Prose(f"`{run}`"),
                    "Reported": _share(reported.get("train_accuracy")),
                    "Averaged": f"{accuracy:.2f} %",
                    "Final": share(record, "train_accuracy"),
                    "Loss, reported": _number(reported.get("train_loss"), 4),
                    "Loss, averaged": f"{loss:.4f}",
                    "Loss, final": value(record, "train_loss", 4),
                    "Verdict": verdict(record),
                }
            )
    columns = [
        "Run",
        "Reported",
        "Averaged",
        "Final",
        "Loss, reported",
        "Loss, averaged",
        "Loss, final",
        "Verdict",
    ]
    note = (
        "Averaged: over the last epoch, while the network learns and drops units, on images as it sees them, weight penalties in the loss. Final: of the final weights, on plain images. Means over seeds. The "
        "verdict is that on the test accuracy; where it says that the data are others, so are the training figures. "
        + labels(records)
        if rows
        else "No report's training figures may stand beside those of this edition."
    )
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Training figures, as reported and as measured in two ways.",
        "tbl-training",
        align="lrrrrrrl",
        note=note,
    )


def about(records):
    """What is particular about each run."""
    return Prose(
        "\n".join(
            f"- `{run}`, {plain(record['dataset']['label'])}. {plain(runs.entry(run)['about'])}"
            for run, record in records.items()
        )
    )


def labels(records):
    """The data sets behind some records, for the note below a table."""
    return (
        "Data: "
        + plain("; ".join(dict.fromkeys(record["dataset"]["label"] for record in records.values())))
        + "."
        if records
        else ""
    )


def claims(found):
    """The claims and their evidence."""
    from report.prose.claims import p_text

    rows = [
        {
            "Claim": f"{claim['claim']} ({claim['data']})",
            "Difference": f"{100 * claim['difference']:+.2f}",
            "95 % interval": f"{100 * claim['low']:+.2f} to {100 * claim['high']:+.2f}",
            "p": p_text(claim["p"], short=True),
            "p, corrected": p_text(claim["p_holm"], short=True),
            "Verdict": claim["verdict"],
        }
        for claim in found
    ]
    columns = ["Claim", "Difference", "95 % interval", "p", "p, corrected", "Verdict"]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Claims, tested on the same test images.",
        "tbl-claims",
        align="lrrrrl",
        note="Difference in percentage points, mean over seeds; interval by paired bootstrap over images and, where a run has several, seeds; p by the exact McNemar test between the seeds of "
        "median accuracy, corrected by Holm's method for all the claims of this table. The nearest neighbour knows the validation images too and sees all images averaged down.",
    )


def _share(fraction):
    return "-" if fraction is None else f"{100 * fraction:.2f} %"


def _number(number, digits=4):
    return "-" if number is None else f"{number:.{digits}f}"

"""The evidence behind each accuracy: intervals, balanced accuracy, calibration, and what published differences can show."""

import numpy as np
import pandas as pd

from helpers import results, runs, statistics
from helpers.show import Prose, Table, plain
from helpers.show.words import counted, data_named, share
from helpers.store import paths
from report import claims
from report.courses import REPORTS

# Title and number of test images of the official sets that the course reports used (their own counts; the sets at hand here may be parts).
OFFICIAL_TESTS = {
    "mnist": ("MNIST", 10000),
    "emnist_letters": ("EMNIST Letters", 14800),
    "emnist_balanced": ("EMNIST Balanced", 18800),
    "fingers": ("Fingers", 3600),
}


def accuracies(records, profile):
    """A row a run: accuracy over seeds, its interval over test images, balanced accuracy with its interval, the class that is named worst."""
    rows = []
    for run, record in records.items():
        answers, test = results.predictions(profile, run), record["dataset"]["test"]
        right = answers["y_pred"] == answers["y_true"]
        low, high = statistics.wilson(right.mean() * test, test)
        balanced = statistics.stratified_bootstrap(answers["y_true"], right)
        recall = mean_recalls(record, answers)
        worst = int(np.nanargmin(recall))
        rows.append(
            {
                "Run": Prose(f"`{run}`"),
                "Accuracy": share(record, "test_accuracy"),
                "n": str(len(record["seeds"])),
                "Over test images": _interval(low, high),
                "Balanced": f"{100 * balanced[0]:.2f}",
                "Its interval": _interval(*balanced[1:]),
                "Worst class": f"{record['dataset']['class_names'][worst]}: {100 * recall[worst]:.1f} %",
            }
        )
    columns = [
        "Run",
        "Accuracy",
        "n",
        "Over test images",
        "Balanced",
        "Its interval",
        "Worst class",
    ]
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Every accuracy with its two kinds of chance, and the balanced accuracy.",
        "tbl-evidence",
        align="lrrrrrl",
        note="Accuracy: mean and standard deviation over n seeds. Over test images: Wilson's 95 % interval of that mean. Balanced: mean of the classes' recalls, with a 95 % "
        "interval by a bootstrap that draws test images anew within each class; it has no width where every image of every class is named correctly. All in percent. "
        + data_named(records.values()),
    )


def mean_recalls(record, answers):
    """Recall of each class, mean over seeds, (classes,)."""
    return np.mean(
        [
            statistics.recalls(answers["y_true"], one, record["dataset"]["classes"])
            for one in answers["y_pred"]
        ],
        axis=0,
    )


def calibration_reading(records):
    """How many runs gave networks that are too sure of themselves, by the interval over seeds, and what temperature scaling does for them."""

    def means(metric):
        return [results.mean_std(record, metric)[0] for record in records.values()]

    if not records:
        return ""
    several = [record for record in records.values() if len(record["seeds"]) > 2]
    over = [
        statistics.paired([seed["temperature"] for seed in record["seeds"]], 1.0)
        for record in several
    ]
    sure, unsure = sum(o["low"] > 0 for o in over), sum(o["high"] < 0 for o in over)
    better = sum(after < before for before, after in zip(means("ece"), means("ece_scaled")))
    lower = sum(after < before for before, after in zip(means("nll"), means("nll_scaled")))
    return (
        f"Of {counted(len(several), 'run')} with three trainings or more, {sure} gave networks that are too sure of themselves (the 95 % interval of the temperature over seeds lies above 1), {unsure} "
        f"gave too cautious ones, and {len(several) - sure - unsure} cannot be told from either. One number, fitted on validation images, lowers the mean calibration error in "
        f"{better} of {counted(len(records), 'run')} and the mean negative log-likelihood in {lower}; no answer changes."
    )


def mcnemar_lesson(profile, records, run_a="fashion-cnn-1x100", run_b="fashion-cnn-2x50"):
    """One paragraph: what the exact McNemar test says of every pair of one run's networks with another's; "" where one has no record."""
    if not {run_a, run_b} <= set(records):
        return ""
    one, other = (claims.rightness(profile, run) for run in (run_a, run_b))
    if one.shape[1] != other.shape[1]:
        return ""
    signs = [
        np.sign(a.mean() - b.mean()) for a in one for b in other if statistics.mcnemar(a, b) < 0.05
    ]
    return (
        f"The exact McNemar test [@mcnemar1947] compares two given networks on the same test images, and not the procedures that made them. Of the {len(one) * len(other)} pairs of a network of `{run_a}` with one of "
        f"`{run_b}`, it finds {signs.count(1)} in which the first is better at 5 %, and {signs.count(-1)} in which the second is: with one training each, luck would have chosen the conclusion. Hence the seeds "
        "are paired here, and the test over seeds."
    )


def gaps(entries):
    """Neighbours in a ranking: dicts with `data`, `test`, `result`, `accuracy`, best first within a data set, become one dict a pair.

    It holds the two entries as `better` and `worse`, the difference in test images (`images`), `p` (the largest that the exact McNemar test can give),
    `p_holm`, corrected for the number of pairs, and a `verdict`.
    """
    found = []
    for data in dict.fromkeys(entry["data"] for entry in entries):
        ranked = sorted(
            (entry for entry in entries if entry["data"] == data),
            key=lambda entry: -entry["accuracy"],
        )
        for better, worse in zip(ranked, ranked[1:]):
            found.append(
                {
                    "better": better,
                    "worse": worse,
                    "images": round((better["accuracy"] - worse["accuracy"]) * better["test"]),
                    "p": statistics.cautious_gap(
                        better["accuracy"], worse["accuracy"], better["test"]
                    ),
                }
            )
    for gap, corrected in zip(found, statistics.holm([gap["p"] for gap in found])):
        small = gap["images"] < statistics.smallest_gap()
        gap.update(
            p_holm=corrected,
            verdict="too small to show"
            if small
            else "large enough"
            if corrected < 0.05
            else "needs the answers",
        )
    return found


def course_entries():
    """The course reports' own test accuracies as entries for `gaps`, on the official test sets that they used."""
    found = []
    for run in runs.select():
        line = runs.entry(run)
        title, test = OFFICIAL_TESTS.get(line["parameters"]["dataset"], (None, 0))
        accuracy = line.get("reported", {}).get("test_accuracy")
        if title and accuracy is not None and line["report"] in REPORTS:
            found.append({"data": title, "test": test, "result": run, "accuracy": accuracy})
    return found


def published_entries():
    """The entries of report/published.yaml."""
    import yaml

    return yaml.safe_load((paths.REPORT_SOURCE / "published.yaml").read_text(encoding="utf-8"))


def gap_table(entries, caption, label):
    """Which differences between neighbours in a ranking the test set can show."""

    def told(entry):
        deviation = f" ± {100 * entry['deviation']:.2f}" if "deviation" in entry else ""
        return f"{entry['result']} {100 * entry['accuracy']:.2f}{deviation}" + (
            " *" if entry.get("selected") else ""
        )

    rows = [
        {
            "Data": gap["better"]["data"],
            "Step": f"{told(gap['better'])} over {told(gap['worse'])}",
            "Images": f"{gap['images']:,}",
            "p at most": claims.p_text(gap["p"]),
            "Corrected": claims.p_text(gap["p_holm"]),
            "Difference": gap["verdict"],
        }
        for gap in gaps(entries)
    ]
    columns = ["Data", "Step", "Images", "p at most", "Corrected", "Difference"]
    note = (
        f"Accuracies in percent; images: the difference in test images. *Too small to show*: fewer than {statistics.smallest_gap()}, which the exact McNemar test at 5 % cannot see even if every "
        "image that the two differ in speaks for the better one. *Large enough*: shown whatever the answers were, with p corrected by Holm's method for all steps of this table. *Needs the "
        "answers*: in between."
    )
    if any("deviation" in entry for entry in entries):
        note += " A result with ± is a mean over trainings; the test compares two single networks and knows nothing of that spread."
    if any(entry.get("selected") for entry in entries):
        note += " An asterisk: the epoch with the best test accuracy was kept, which flatters."
    sources = dict.fromkeys(
        f"{entry['result']}: {entry['by']}" for entry in entries if "by" in entry
    )
    if sources:
        note += " Sources: " + plain("; ".join(sources)) + "."
    return Table(pd.DataFrame(rows, columns=columns), caption, label, align="llrrrl", note=note)


def gaps_reading(entries, whose):
    """One sentence on how many differences the test sets can show."""
    found = [gap["verdict"] for gap in gaps(entries)]
    small, large = found.count("too small to show"), found.count("large enough")
    return (
        f"Of {counted(len(found), 'step')} between neighbours in {whose}, the accuracies alone show {large}; {small} could not be shown by the exact McNemar test whatever the answers, and for the "
        f"remaining {len(found) - small - large} one would have to compare the two networks' answers image by image, which are not at hand."
    )


def _interval(low, high):
    return f"{100 * low:.2f} to {100 * high:.2f}"

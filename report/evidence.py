"""The evidence behind each accuracy, for the appendices: intervals, balanced accuracy, twins, and
which steps of a published ranking the test images can show at all."""

import itertools

import numpy as np
import pandas as pd

from helpers import results, runs, statistics
from helpers.show import Prose, Table, plain
from helpers.show.words import data_named, share
from helpers.store import paths
from report import claims, verdicts
from report.courses import REPORTS

# The official sets that the course reports used, with their own counts of test images.
OFFICIAL_TESTS = {
    "mnist": ("MNIST", 10000),
    "emnist_letters": ("EMNIST Letters", 14800),
    "emnist_balanced": ("EMNIST Balanced", 18800),
    "fingers": ("Fingers", 3600),
}
SMALL, LARGE, OPEN = "too small to show", "large enough", "needs the answers"


def accuracies(records, profile):
    """A row a run: accuracy over seeds, its interval over test images, balanced accuracy with its
    interval, and the class that is named worst."""
    rows = []
    for run, record in records.items():
        answers, test = results.predictions(profile, run), record["dataset"]["test"]
        right = answers["y_pred"] == answers["y_true"]
        balanced = statistics.stratified_bootstrap(answers["y_true"], right)
        recall = mean_recalls(record, answers)
        worst = int(np.nanargmin(recall))
        rows.append(
            {
                "Run": Prose(f"`{run}`"),
                "Accuracy": share(record, "test_accuracy"),
                "n": str(len(record["seeds"])),
                "Over test images": _interval(*statistics.wilson(right.mean() * test, test)),
                "Balanced": f"{100 * balanced[0]:.2f} %",
                "Its interval": _interval(*balanced[1:]),
                "Worst class": f"{record['dataset']['class_names'][worst]}: "
                f"{100 * recall[worst]:.1f} %",
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Every accuracy with its two kinds of chance, and the balanced accuracy.",
        "tbl-evidence",
        align="lrrrrrl",
        note="Accuracy: mean and deviation over n seeds. Over test images: Wilson's 95 % interval "
        "[@wilson1927] of that mean. Balanced: mean of the classes' recalls, with a 95 % interval "
        "by a bootstrap that draws test images anew within each class [@efron1979]. "
        + data_named(records.values()),
    )


def mean_recalls(record, answers):
    """Recall of each class, mean over seeds, (classes,)."""
    classes = record["dataset"]["classes"]
    each = [statistics.recalls(answers["y_true"], one, classes) for one in answers["y_pred"]]
    return np.mean(each, axis=0)


def twin_table(records, audits, profile):
    """Every run's accuracy with and without test images that have a twin in the training images."""
    rows = []
    for audit, (run, record) in itertools.product(audits.values(), records.items()):
        answers = results.predictions(profile, audit["run"])
        right = _judged_on(profile, record, answers["y_true"], audit)
        if right is None or answers["twin"].all():
            continue
        without, left = right[:, ~answers["twin"]].mean(), int((~answers["twin"]).sum())
        rows.append(
            {
                "Run": Prose(f"`{run}`"),
                "Twins": f"{100 * answers['twin'].mean():.1f} %",
                "All test images": f"{100 * right.mean():.2f} %",
                "Left": f"{left:,}",
                "Without twins": f"{100 * without:.2f} %",
                "95 % interval": _interval(*statistics.wilson(without * left, left)),
            }
        )
    return Table(
        pd.DataFrame(rows),
        "Test accuracy without the test images that have a twin among the training images.",
        "tbl-twins",
        align="lrrrrr",
        note="Twins: test images with a training image closer than the audit's limit, both "
        "averaged down. Left: test images that remain; the interval is Wilson's. "
        + data_named(records.values()),
    )


def _judged_on(profile, record, truth, audit):
    # bool (seeds, n): which of an audit's test images a run names correctly; None for other images.
    if record["dataset"]["sha256"] != audit["dataset"]["sha256"]:
        return None
    answers = results.predictions(profile, record["run"])
    same = len(answers["y_true"]) == len(truth) and (answers["y_true"] == truth).all()
    return answers["y_pred"] == truth if same else None


def gaps(entries):
    """Neighbours in a ranking: dicts with `data`, `test`, `result` and `accuracy` become one dict a
    pair within a data set: `better`, `worse` (entries), `images` (the difference in test images),
    `p` (the largest that the exact McNemar test can give), `p_holm`, and a `verdict`."""
    found = []
    for data in dict.fromkeys(entry["data"] for entry in entries):
        ranked = [entry for entry in entries if entry["data"] == data]
        ranked.sort(key=lambda entry: -entry["accuracy"])
        for better, worse in itertools.pairwise(ranked):
            high, low, test = better["accuracy"], worse["accuracy"], better["test"]
            p = statistics.cautious_gap(high, low, test)
            images = round((high - low) * test)
            found.append({"better": better, "worse": worse, "images": images, "p": p})
    for gap, corrected in zip(found, statistics.holm([gap["p"] for gap in found])):
        small = gap["images"] < statistics.smallest_gap()
        gap |= {"p_holm": corrected}
        gap["verdict"] = SMALL if small else LARGE if corrected < claims.LEVEL else OPEN
    return found


def course_entries():
    """The course reports' own test accuracies on official test sets, as entries for `gaps`."""
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
    rows = [
        {
            "Data": gap["better"]["data"],
            "Step": f"{_result(gap['better'])} over {_result(gap['worse'])}",
            "Images": f"{gap['images']:,}",
            "p at most": verdicts.p_text(gap["p_holm"]),
            "Difference": gap["verdict"],
        }
        for gap in gaps(entries)
    ]
    note = (
        f"Accuracies in percent; images: the difference in test images. *{SMALL}*: fewer than "
        f"{statistics.smallest_gap()}, which the exact McNemar test [@mcnemar1947] cannot see at "
        f"5 % even if each speaks for the better one. *{LARGE}*: shown whatever the answers were, "
        f"p corrected by Holm's method. *{OPEN}*: in between. ± is over trainings; an asterisk: "
        "the epoch with the best test accuracy was kept, which flatters."
    )
    named = [entry for entry in entries if "by" in entry]
    sources = dict.fromkeys(f"{entry['result']}: {entry['by']}" for entry in named)
    note += f" Sources: {plain('; '.join(sources))}." if sources else ""
    return Table(pd.DataFrame(rows), caption, label, align="llrrl", note=note)


def _result(entry):
    deviation = f" ± {100 * entry['deviation']:.2f}" if "deviation" in entry else ""
    flattered = " *" if entry.get("selected") else ""
    return f"{entry['result']} {100 * entry['accuracy']:.2f}{deviation}{flattered}"


def _interval(low, high):
    return f"{100 * low:.2f} to {100 * high:.2f}"

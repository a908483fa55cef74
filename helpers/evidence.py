"""The evidence behind each accuracy: intervals, balanced accuracy, calibration, and what published differences can show."""

import numpy as np
import pandas as pd

from helpers import figures, paths, plots, results, runs, statistics
from helpers.exhibits import Figure, Prose, Table
from helpers.overview import labels
from helpers.tables import share, value

OFFICIAL_TESTS = {"mnist-2019": {"MNIST": 10000}, "emnist-2021": {"EMNIST Letters": 14800, "EMNIST Balanced": 18800}, "fingers": {"Fingers": 3600}}  # test images
TITLES = {"mnist": "MNIST", "emnist_letters": "EMNIST Letters", "emnist_balanced": "EMNIST Balanced", "fingers": "Fingers"}


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
        rows.append({"Run": Prose(f"`{run}`"), "Accuracy": share(record, "test_accuracy"), "n": str(len(record["seeds"])), "Over test images": _interval(low, high),
                     "Balanced": f"{100 * balanced[0]:.2f}", "Its interval": _interval(*balanced[1:]),
                     "Worst class": f"{record['dataset']['class_names'][worst]}: {100 * recall[worst]:.1f} %"})
    columns = ["Run", "Accuracy", "n", "Over test images", "Balanced", "Its interval", "Worst class"]
    return Table(pd.DataFrame(rows, columns=columns), "Every accuracy with its two kinds of chance, and the balanced accuracy.", "tbl-evidence", align="lrrrrrl",
                 note="Accuracy: mean and standard deviation over n seeds. Over test images: Wilson's 95 % interval of that mean. Balanced: mean of the classes' recalls, with a 95 % "
                      "interval by a bootstrap that draws test images anew within each class. All in percent. " + labels(records))


def mean_recalls(record, answers):
    """Recall of each class, mean over seeds, (classes,)."""
    return np.mean([statistics.recalls(answers["y_true"], one, record["dataset"]["classes"]) for one in answers["y_pred"]], axis=0)


def calibration(records):
    """A row a run: negative log-likelihood and calibration error before and after temperature scaling."""
    rows = [{"Run": Prose(f"`{run}`"), "NLL": value(record, "nll", 3), "ECE": value(record, "ece"), "Temperature": value(record, "temperature", 2),
             "NLL, scaled": value(record, "nll_scaled", 3), "ECE, scaled": value(record, "ece_scaled")} for run, record in records.items()]
    columns = ["Run", "NLL", "ECE", "Temperature", "NLL, scaled", "ECE, scaled"]
    return Table(pd.DataFrame(rows, columns=columns), "How far the probabilities can be trusted, before and after temperature scaling.", "tbl-calibration", align="lrrrrr",
                 note="NLL: mean negative log-likelihood of the test images, in nats. ECE: expected calibration error, 15 bins. Temperature: fitted on validation images; above 1 the network is too "
                      "sure of itself. " + labels(records))


def calibration_reading(records):
    """How many networks are too sure of themselves, and what temperature scaling does for them."""
    def means(metric):
        return [results.mean_std(record, metric)[0] for record in records.values()]

    sure, better = sum(t > 1 for t in means("temperature")), sum(after < before for before, after in zip(means("ece"), means("ece_scaled")))
    lower = sum(after < before for before, after in zip(means("nll"), means("nll_scaled")))
    total = len(records)
    return (f"{_of(sure, total)} are too sure of themselves (temperature above 1). One number, fitted on validation images, lowers the calibration error of {_of(better, total).lower()} and the "
            f"negative log-likelihood of {_of(lower, total).lower()}; no answer changes.")


def _of(count, total):
    return f"All {total} runs" if count == total else f"None of {total} runs" if not count else f"{count} of {total} runs"


def recall_figures(records, profile):
    """One figure a data set: the recall of every class (columns) in every run (rows)."""
    found = []
    for title in dict.fromkeys(record["dataset"]["title"] for record in records.values()):
        chosen = {run: record for run, record in records.items() if record["dataset"]["title"] == title}
        table = {run: mean_recalls(record, results.predictions(profile, run)) for run, record in chosen.items()}
        first = next(iter(chosen.values()))["dataset"]
        name = "recalls-" + first["name"].replace("_", "-")
        path = paths.figures(profile, "all") / f"{name}.png"
        plots.update(path, plots.recalls, table, first["class_names"], label=figures.stamp(first))
        found.append(Figure(path, f"{title}: the recall of each class, the share of its test images that is named correctly, in percent; mean over seeds.", f"fig-{name}"))
    return found


def reliability_figure(records, profile):
    """The reliability diagrams of all runs, each of its seed of median accuracy; None where there is no run."""
    if not records:
        return None
    shown = {}
    for run, record in records.items():
        answers, seed = results.predictions(profile, run), results.median_seed(record)
        before, after = (np.exp(answers[name][seed].astype("float32")) for name in ("logp_pred", "logp_pred_scaled"))
        shown[run] = (before, answers["y_pred"][seed] == answers["y_true"], after)
    path = paths.figures(profile, "all") / "reliabilities.png"
    plots.update(path, plots.reliabilities, shown, label=[figures.stamp(record["dataset"]) for record in records.values()])
    return Figure(path, "How often each network is right at each confidence, before and after temperature scaling. Points below the diagonal: too sure of itself. Bins of fewer than ten "
                  "images are left out.", "fig-reliabilities")


def gaps(entries):
    """Neighbours in a ranking: dicts with `data`, `test`, `result`, `accuracy`, best first within a data set, become one dict a pair with `images`, the
    difference in test images, `p` (exact McNemar, if the mistakes fell independently) and `verdict`.
    """
    found = []
    for data in dict.fromkeys(entry["data"] for entry in entries):
        ranked = sorted((entry for entry in entries if entry["data"] == data), key=lambda entry: -entry["accuracy"])
        for better, worse in zip(ranked, ranked[1:]):
            images = round((better["accuracy"] - worse["accuracy"]) * better["test"])
            p = statistics.independent_gap(better["accuracy"], worse["accuracy"], better["test"])
            need = statistics.smallest_gap(better["test"])
            verdict = "too small to show" if need is None or images < need else "large enough" if p < 0.05 else "needs the answers"
            found.append({"data": data, "better": better["result"], "worse": worse["result"], "images": images, "p": p, "verdict": verdict,
                          "selected": [entry["result"] for entry in (better, worse) if entry.get("selected")]})
    return found


def course_entries():
    """The course reports' own test accuracies as entries for `gaps`, on the official test sets that they used."""
    found = []
    for run in runs.select():
        line = runs.entry(run)
        tests = OFFICIAL_TESTS.get(line["report"], {})
        title, accuracy = TITLES.get(line["parameters"]["dataset"]), line.get("reported", {}).get("test_accuracy")
        if title in tests and accuracy is not None:
            found.append({"data": title, "test": tests[title], "result": run, "accuracy": accuracy})
    return found


def published_entries():
    """The entries of report/published.yaml."""
    import yaml

    return yaml.safe_load((paths.REPORT_SOURCE / "published.yaml").read_text(encoding="utf-8"))


def gap_table(entries, caption, label):
    """Which differences between neighbours in a ranking the test set can show."""
    from helpers.claims import p_text

    def marked(gap, side):
        return gap[side] + (" *" if gap[side] in gap["selected"] else "")

    rows = [{"Data": gap["data"], "Step": f"{marked(gap, 'better')} over {marked(gap, 'worse')}", "Images": f"{gap['images']:,}", "p": p_text(gap["p"]),
             "Difference": gap["verdict"]} for gap in gaps(entries)]
    columns = ["Data", "Step", "Images", "p", "Difference"]
    note = (f"Images: the difference in test images. *Too small to show*: fewer than {statistics.smallest_gap(10**4)}, so that the exact McNemar test at 5 % could not see it even if every image "
            "that the two differ in spoke for the better one. *Large enough*: shown even if the mistakes of the two fell independently (p). *Needs the answers*: in between.")
    if any(gap["selected"] for gap in gaps(entries)):
        note += " An asterisk: the epoch with the best test accuracy was kept, which flatters."
    return Table(pd.DataFrame(rows, columns=columns), caption, label, align="llrrl", note=note)


def gaps_reading(entries, whose):
    """One sentence on how many differences the test sets can show."""
    found = [gap["verdict"] for gap in gaps(entries)]
    small, large = found.count("too small to show"), found.count("large enough")
    return (f"Of {len(found)} steps between neighbours in {whose}, the test set can show {large} by itself; {small} are smaller than any test on it could show, and the other "
            f"{len(found) - small - large} could be decided only by comparing the two networks' answers image by image, which nobody published.")


def _interval(low, high):
    return f"{100 * low:.2f} to {100 * high:.2f}"

"""What guards and slots of report.ipynb may say of an edition: report/words.py evaluates them."""

import itertools

import numpy as np
import pandas as pd

from helpers import results, runs, show, statistics
from helpers.show import plain, words
from helpers.store import files, paths
from report import carried, claims, courses, verdicts


class Words:
    """What guards and slots may say of one edition. LookupError where a run has no record."""

    def __init__(self, profile):
        self.edition, self._records = profile, results.load_all(profile)
        self._register = files.load_json(paths.report(profile) / "claims.json") or []
        self.carried = carried.measured(profile)
        self.everything = set(self._records)
        self.missing = [run for run in runs.select(profile=profile) if run not in self._records]
        self.reports = {runs.entry(run)["report"] for run in courses.of_all(self._records)}
        self.rerun = bool(self.reports & set(courses.REPORTS)) or not self.reports
        self.judged = self.count() > self.count(claims.CANNOT)
        data = [record["dataset"] for record in self._records.values()]
        drawn = {plain(each["title"]) for each in data if each["kind"] == "stand-in"}
        self.drawn = ", ".join(sorted(drawn))

    def names(self):
        """The vocabulary: every public name of this class, and a few of Python's."""
        own = {name: getattr(self, name) for name in dir(self) if not name.startswith("_")}
        return {**own, "len": len, "max": max, "min": min, "round": round}

    # --- claims, by their keys: "D2", or "D2.1" for a part of one ---

    def _parts(self, key):
        name, _, part = key.partition(".")
        parts = [e for e in self._register if e["key"] == name and part in ("", str(e["part"]))]
        if not parts:
            raise LookupError(f"claim {key}")
        return parts

    def verdict(self, key):
        """A claim's verdict, one of the four of report/claims.py."""
        return claims.overall(self._parts(key))

    def holds(self, *keys):
        """Whether all these claims hold."""
        return set(map(self.verdict, keys)) <= {claims.HOLDS}

    def fails(self, *keys):
        """Whether none of these claims holds: each was shown to be otherwise."""
        return set(map(self.verdict, keys)) <= {claims.FAILS}

    def open(self, *keys):
        """Whether none of these claims is decided, one way or the other."""
        return set(map(self.verdict, keys)) <= {claims.CLOSE, claims.CANNOT}

    def count(self, verdict=None):
        """How many of the reports' claims there are, or have a verdict, such as "holds"."""
        keys = {entry["key"] for entry in self._register if entry["family"] == "reports"}
        return len(keys) if verdict is None else list(map(self.verdict, keys)).count(verdict)

    def difference(self, key):
        """What was measured for a claim (of several parts the first): difference, interval, n."""
        entry = self._parts(key)[0]
        unit = "" if entry["quantity"] in verdicts.UNITS else " points"
        found = verdicts.interval(entry).replace(" [", f"{unit} [")
        return f"{found} (n = {entry['n']})"

    def sign(self, key):
        """The sign for what a claim was judged on, where it is not the official images."""
        kind = self._record(self._parts(key)[0]["run_a"])["dataset"]["kind"]
        return courses.SIGNS.get(kind, "").replace(" ", "\u00a0")  # not alone on a line

    def gap(self, key):
        """The difference of a claim as a number, for guards."""
        value = self._parts(key)[0]["difference"]
        if value is None:
            raise LookupError(f"claim {key} has no pair")
        return value

    # --- runs ---

    def _record(self, run):
        if run not in self._records:
            raise LookupError(run)
        return self._records[run]

    def kind(self, run):
        """official, partial, substitute, stand-in or own."""
        return self._record(run)["dataset"]["kind"]

    def n(self, *names):
        """How many trainings these runs have; without a name, all of the edition."""
        return sum(len(self._record(run)["seeds"]) for run in names or self._records)

    def share(self, run, metric="test_accuracy"):
        """Mean and deviation over seeds of an accuracy, in percent."""
        return words.share(self._record(run), metric)

    def value(self, run, metric, digits=4):
        """Mean and deviation over seeds of a loss or another number."""
        return words.value(self._record(run), metric, digits)

    def mean(self, run, *metric):
        """Mean over seeds of a metric, of the test accuracy if none is named, a number; what lies
        deeper in a record has its way there: mean(run, "transformed", "test")."""
        values = self._record(run)["seeds"]
        for key in metric or ["test_accuracy"]:
            values = [value[key] for value in values]
        return float(np.mean(values))

    def spread(self, run, metric="test_accuracy"):
        """Standard deviation over seeds, a number; LookupError for one training."""
        if (deviation := results.mean_std(self._record(run), metric)[1]) is None:
            raise LookupError(f"one training of {run}")
        return deviation

    def parameters(self, run):
        """Parameters of a run's network, with commas."""
        return results.network_size(self._record(run))

    def images(self, run):
        """How many images a run's networks learnt from."""
        return self._record(run)["dataset"]["train"]

    def reported(self, run, name="test_accuracy"):
        """What the course report gave for a run, a number."""
        return runs.entry(run)["reported"][name]

    def percent(self, fraction, digits=2):
        """A fraction in percent."""
        return words.percent(fraction, digits)

    def points(self, fraction, digits=2):
        """A fraction in percentage points, without its sign."""
        return f"{abs(100 * fraction):.{digits}f}"

    def extra(self, run, *keys):
        """What a run keeps beside its seeds: an audit's counts, a study's points."""
        found = self._record(run)["extra"]
        for key in keys:
            found = found[key]
        return found

    def _points(self, run, by, metric):
        seeds = self._record(run)["seeds"]
        points = pd.DataFrame(itertools.chain(*(seed["points"] for seed in seeds)))
        return points.groupby(by)[metric].mean()

    def changed(self, run, network, change, amount):
        """A study's accuracy of a network on test images changed by an amount, mean over seeds."""
        at = network, change, amount
        return self._points(run, ["network", "change", "amount"], "accuracy")[at]

    def sizes(self, run):
        """A study of how many images: (images, test accuracy, mean over seeds), fewest first."""
        return list(self._points(run, "images", "test_accuracy").items())

    def promised(self, run):
        """Of a study of how many images, what the smaller parts promise: see `show.promised`."""
        return show.promised(self._record(run))

    def bought(self, run, part, alone=False, metric="test_accuracy"):
        """What a study of parts says of one of them, a dict of `statistics.paired`; `metric` may be
        "gap", training minus test accuracy."""
        return show.gain(self._record(run), part, alone, metric)

    def brought(self, run, ingredient):
        """What an ingredient of a recipe brings, a dict of `statistics.paired`."""
        return show.beyond.brought(self._record(run), ingredient)

    def standing(self, run):
        """Of a study of parts the comparisons that are told from chance: see `show.standing`."""
        return show.standing(self._record(run))

    def variant(self, run, name):
        """Test accuracy of a variant in a study of parts, mean over seeds."""
        return self._points(run, "variant", "test_accuracy")[name]

    def flattery(self):
        """Least and most by which an epoch chosen on test images promises too much, of the runs
        that were trained as a course report did."""
        tried = courses.of_report(self._records, "course-protocol")
        found = [self.mean(run, "selection", "optimism") for run in tried]
        if not found:
            raise LookupError("trainings as in a course report")
        return min(found), max(found)

    def swing(self, run):
        """Lowest and highest validation accuracy of the last five epochs of any seed, percent."""
        late = results.epochs(self._record(run)).groupby("seed")["val_accuracy"].tail(5)
        return f"{100 * late.min():.1f} to {100 * late.max():.1f} %"

    # --- answers ---

    def pairs(self, run_a, run_b):
        """McNemar's exact test of every network of one run with every one of another: (pairs,
        pairs in which the first is better at 5 %, pairs in which the second is)."""
        names = [self._record(run)["run"] for run in (run_a, run_b)]
        one, other = (claims.rightness(self.edition, name) for name in names)
        signs = [
            np.sign(a.mean() - b.mean())
            for a, b in itertools.product(one, other)
            if statistics.mcnemar(a, b) < 0.05
        ]
        return len(one) * len(other), signs.count(1), signs.count(-1)

    def confused(self, run, most=3):
        """The pairs of classes that are taken for each other most often: (share of all mistakes
        that lie in them, their names as text)."""
        names = self._record(run)["dataset"]["class_names"]
        found = results.predictions(self.edition, run)
        both = np.stack(np.broadcast_arrays(found["y_true"], found["y_pred"]), axis=-1)
        wrong = pd.DataFrame(np.sort(both[both[..., 0] != both[..., 1]]))
        counts = wrong.value_counts().head(most)
        text = ", ".join(f"{plain(names[a])} and {plain(names[b])}" for a, b in counts.index)
        return counts.sum() / max(1, len(wrong)), text

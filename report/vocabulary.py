"""What guards and slots of report.ipynb may say of an edition: report/words.py evaluates them."""

import itertools

import numpy as np

from helpers import results, runs, statistics
from helpers.show import plain, words
from helpers.store import files, paths
from report import carried, claims, courses, protocol, verdicts


class Words:
    """What guards and slots may say of one edition. LookupError where a run has no record."""

    def __init__(self, profile):
        self.edition, self._records = profile, results.load_all(profile)
        self._register = files.load_json(paths.report(profile) / "claims.json") or []
        self.carried = carried.measured(profile)
        self.planned, self.everything = len(runs.select()), set(self._records)
        self.missing = [run for run in runs.select() if run not in self._records]
        self.reports = {runs.entry(run)["report"] for run in courses.of_all(self._records)}
        self.rerun = bool(self.reports & set(courses.REPORTS)) or not self.reports
        data = [record["dataset"] for record in self._records.values()]
        self.judged = set(self._verdicts().values()) - {claims.CANNOT} != set()
        drawn = {plain(each["title"]) for each in data if each["kind"] == "stand-in"}
        self.drawn = ", ".join(sorted(drawn))

    def names(self):
        """The vocabulary: every public name of this class, and a few of Python's."""
        own = {name: getattr(self, name) for name in dir(self) if not name.startswith("_")}
        return {**own, "len": len, "max": max, "min": min, "round": round}

    # --- claims ---

    def _parts(self, key):
        name, _, part = key.partition(".")
        parts = [e for e in self._register if e["key"] == name and part in ("", str(e["part"]))]
        if not parts:
            raise LookupError(f"claim {key}")
        return parts

    def verdict(self, key):
        """The verdict on a claim ("D2") or a part of one ("D2.1")."""
        return claims.overall(self._parts(key))

    def holds(self, *keys):
        """Whether all these claims hold."""
        return all(self.verdict(key) == claims.HOLDS for key in keys)

    def fails(self, *keys):
        """Whether none of these claims holds: each was shown to be otherwise."""
        return all(self.verdict(key) == claims.FAILS for key in keys)

    def open(self, *keys):
        """Whether none of these claims is decided, one way or the other."""
        return all(self.verdict(key) in (claims.CLOSE, claims.CANNOT) for key in keys)

    def count(self, verdict):
        """How many of the reports' claims have a verdict: "holds", "does not hold" and so on."""
        return list(self._verdicts().values()).count(verdict)

    def claimed(self):
        """How many claims of the reports can be tested."""
        return len(self._verdicts())

    def _verdicts(self):
        theirs = [entry["key"] for entry in self._register if entry["family"] == "reports"]
        return {key: self.verdict(key) for key in theirs}

    def difference(self, key):
        """What was measured for a claim (of several parts the first): difference, interval, n."""
        entry = self._parts(key)[0]
        scale, digits = verdicts.UNITS.get(entry["quantity"], (100, 2))
        unit = " points" if (scale, digits) == (100, 2) else ""
        found = verdicts.interval(entry, scale, digits).replace(" [", f"{unit} [")
        return f"{found} (n = {entry['n']})"

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

    def has(self, *names):
        """Whether all these runs have a record."""
        return set(names) <= set(self._records)

    def title(self, run):
        """The title of the data set that a run saw."""
        return plain(self._record(run)["dataset"]["title"])

    def kind(self, run):
        """official, partial, substitute or stand-in."""
        return self._record(run)["dataset"]["kind"]

    def n(self, run):
        """How many trainings a run has."""
        return len(self._record(run)["seeds"])

    def trainings(self):
        """How many trainings the edition rests on."""
        return sum(len(record["seeds"]) for record in self._records.values())

    def share(self, run, metric="test_accuracy"):
        """Mean and deviation over seeds of an accuracy, in percent."""
        return words.share(self._record(run), metric)

    def value(self, run, metric, digits=4):
        """Mean and deviation over seeds of a loss or another number."""
        return words.value(self._record(run), metric, digits)

    def mean(self, run, metric="test_accuracy"):
        """Mean over seeds, a number, for guards."""
        return results.mean_std(self._record(run), metric)[0]

    def spread(self, run, metric="test_accuracy"):
        """Standard deviation over seeds, a number; LookupError for one training."""
        if (deviation := results.mean_std(self._record(run), metric)[1]) is None:
            raise LookupError(f"one training of {run}")
        return deviation

    def parameters(self, run):
        """Parameters of a run's network, with commas."""
        return results.network_size(self._record(run))

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

    def transformed(self, run, name=None):
        """Accuracy on transformed test images, mean over seeds; with a name, of one alone."""
        seeds = self._record(run)["seeds"]
        values = [s["single"][name] if name else s["transformed"]["test"] for s in seeds]
        return float(np.mean(values))

    def changed(self, run, network, change, amount):
        """A study's accuracy of a network on test images changed by an amount, mean over seeds."""
        wanted = {"network": network, "change": change, "amount": amount}
        points = itertools.chain(*(seed["points"] for seed in self._record(run)["seeds"]))
        found = [p["accuracy"] for p in points if wanted.items() <= p.items()]
        if not found:
            raise LookupError(f"{run}: {wanted}")
        return float(np.mean(found))

    def sizes(self, run):
        """A study of how many images: (images, test accuracy, mean over seeds), fewest first."""
        points = itertools.chain(*(seed["points"] for seed in self._record(run)["seeds"]))
        held = {}
        for point in points:
            held.setdefault(point["images"], []).append(point["test_accuracy"])
        return sorted((images, float(np.mean(values))) for images, values in held.items())

    def flattery(self, *names):
        """Least and most by which an epoch chosen on test images promises too much, of runs."""
        found = [protocol.chosen(self._record(run))["optimism"] for run in names]
        return min(found), max(found)

    def swing(self, run):
        """Lowest and highest validation accuracy of the last five epochs of any seed, percent."""
        late = [a for s in self._record(run)["seeds"] for a in s["history"]["val_accuracy"][-5:]]
        return f"{100 * min(late):.1f} to {100 * max(late):.1f} %"

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
        record, found = self._record(run), results.predictions(self.edition, run)
        names, truth = record["dataset"]["class_names"], found["y_true"]
        both = np.zeros((len(names), len(names)))
        for answers in found["y_pred"]:
            wrong = answers != truth
            np.add.at(both, (truth[wrong], answers[wrong]), 1)
        both = np.triu(both + both.T)
        worst = np.argsort(both, axis=None, kind="stable")[::-1][:most]
        named = (np.unravel_index(place, both.shape) for place in worst)
        text = ", ".join(f"{plain(names[a])} and {plain(names[b])}" for a, b in named)
        return both.flat[worst].sum() / max(1, both.sum()), text

"""The claim register: every claim of runs.yaml, judged by one rule, in report/PROFILE/claims.json.

A claim compares a quantity of one run with that of another over the seeds that both have, or with a
number. A verdict needs three seeds; a p-value, corrected for the number of claims in its family,
below 5 %; and an interval, for other test images too where the quantity is the test accuracy, that
lies on one side: of zero, or, where two are said to be equal, of a margin set beforehand.
"""

import functools

import numpy as np

from helpers import results, runs, statistics
from helpers.store import files, paths
from report import courses, quantities

LEVEL = 0.05
FEWEST = 3  # paired seeds below which there is no verdict
HOLDS, FAILS, CLOSE, CANNOT = "holds", "does not hold", "too close to call", "cannot be judged here"
SAID = ("key", "part", "claim", "family", "quantity", "expected", "run_a", "run_b", "reference")
NUMBERS = ("difference", "low", "high", "low_images", "high_images", "p")


def judge(profile, records):
    """Judge every claim; returns the list that claims.json holds, and writes it.

    An entry has what runs.yaml says of the claim; `data`, the label of the images; `why`, what
    stands against a verdict, or None; `n`, paired seeds; the numbers of `compare`; `p_holm`, p
    corrected within its family; and `verdict`. `records` is a dict from run to record.
    """
    right = functools.cache(lambda run: rightness(profile, run))
    register = [_measured(records, claim, right) for claim in runs.claims()]
    for family in ("reports", "ours"):
        tested = [e for e in register if e["family"] == family and e["p"] is not None]
        for entry, corrected in zip(tested, statistics.holm([entry["p"] for entry in tested])):
            entry["p_holm"] = corrected
    register = [{**entry, "verdict": verdict(entry)} for entry in register]
    files.save_json(paths.report(profile) / "claims.json", register)
    return register


def verdict(entry):
    """The one rule, for an entry of the register that has its `p_holm`."""
    if entry["why"]:
        return CANNOT
    over = "" if entry["low_images"] is None else "_images"
    low, high, sure = entry[f"low{over}"], entry[f"high{over}"], entry["p_holm"] < LEVEL
    if entry["expected"] == "=":
        if sure and -entry["margin"] < low and high < entry["margin"]:
            return HOLDS
        return FAILS if low > entry["margin"] or high < -entry["margin"] else CLOSE
    low, high = (low, high) if entry["expected"] == ">" else (-high, -low)
    return HOLDS if sure and low > 0 else FAILS if sure and high < 0 else CLOSE


def overall(entries):
    """The verdict on a claim from its parts: it holds if all do, and does not if one does not."""
    verdicts = [entry["verdict"] for entry in entries]
    return next((word for word in (FAILS, CANNOT, CLOSE) if word in verdicts), HOLDS)


def of_reports(register):
    """The entries on the course reports' claims, in the order of reports, keys and parts; none
    where none of their runs has a record."""
    mine = [entry for entry in register if entry["family"] == "reports"]
    mine.sort(key=lambda e: ("DCEKF".index(e["key"][0]), int(e["key"][1:]), e["part"] or 0))
    return mine if any(entry["data"] for entry in mine) else []


def _measured(records, claim, right):
    # An entry without what depends on the others; its numbers are None where nothing is paired.
    a, b = records.get(claim["run_a"]), records.get(claim["run_b"])
    there = a and (b or claim["run_b"] is None)
    numbers = {"n": 0, **dict.fromkeys(NUMBERS)}
    if there:
        numbers = compare(a, b, right, claim["quantity"], claim["reference"], claim["margin"])
    why = "no record" if not there else _against(a, claim)
    if not why and numbers["n"] < FEWEST:
        why = f"{numbers['n']} paired seed{'' if numbers['n'] == 1 else 's'}"
    data = {"data": a["dataset"]["label"] if a else None, "why": why}
    return {**{n: claim[n] for n in (*SAID, "margin")}, **data, **numbers, "p_holm": None}


def _against(record, claim):
    # Why these images, or so short a run, cannot decide a claim; None if they can.
    apart = courses.apart(record)
    other_data = apart in ("part of the data", "substitute data", "data of one's own")
    if other_data and (claim["family"] == "ours" or claim["data"] == "any"):
        return None
    return apart


def compare(a, b, right, quantity="test_accuracy", reference=None, margin=None):
    """A quantity of record `a` minus that of `b`, or for None minus `reference`, paired by seeds.

    `right` maps a run to its bool (seeds, images). Returns `n`, pairs; `difference`, their mean;
    `low`, `high` (95 %, other seeds); `low_images`, `high_images` (other test images too, for the
    test accuracy); and `p`: of a difference, or with a `margin` of none that is larger. What cannot
    be said is None.
    """
    pairs = _pairs(a, b, quantity, reference)
    if not pairs:
        return {"n": 0, **dict.fromkeys(NUMBERS)}
    ours, theirs = np.array([values for *_, values in pairs], "float64").T
    numbers = {**dict.fromkeys(NUMBERS), **statistics.paired(ours, theirs)}
    if margin is not None:
        numbers["p"] = statistics.equivalence(ours, theirs, margin)
    if quantity == "test_accuracy" and len(pairs) > 1:
        rows, others, _ = zip(*pairs)
        theirs = reference if b is None else right(b["run"])[list(others)]
        wide = statistics.over_images(right(a["run"])[list(rows)], theirs)
        numbers |= dict(zip(("low_images", "high_images"), wide))
    return numbers


def _pairs(a, b, quantity, reference):
    """(row of a, row of b, (value of a, value of b)) of the seeds that both trained on one back end
    and device, on the same images. What has no seeds, a number or the nearest neighbour, is a
    constant; a seed that lacks the quantity is left out."""
    if b is not None and any(a["dataset"][n] != b["dataset"][n] for n in ("sha256", "test")):
        return []
    rows = {_place(b, seed): row for row, seed in enumerate(b["seeds"])} if b else {}
    pairs = []
    for row, seed in enumerate(a["seeds"]):
        other, value = 0, reference
        if b is not None:
            trained = "history" in b["seeds"][0]
            other = rows.get(_place(a, seed)) if trained else 0
            value = None if other is None else quantities.measure(b["seeds"][other], quantity)
        pairs.append((row, other, (quantities.measure(seed, quantity), value)))
    return [pair for pair in pairs if None not in pair[2]]


def _place(record, seed):
    versions, hardware = ({**record, **seed}[name] for name in ("versions", "hardware"))
    return seed["seed"], versions["backend"], hardware["accelerator"]


def rightness(profile, run):
    """bool (seeds, images): which test images each training of a run named correctly."""
    answers = results.predictions(profile, run)
    return answers["y_pred"] == answers["y_true"]

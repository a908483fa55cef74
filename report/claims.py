"""The claim register: every claim of runs.yaml, judged by one rule, in report/PROFILE/claims.json.

A claim compares a quantity of one run with that of another over the seeds that both have, or with a
number. A verdict needs three seeds; a p-value, corrected for the number of claims in its family,
below 5 %; and an interval, for other test images too where the quantity is the test accuracy, that
lies on one side: of zero, or, where two are said to be equal, of a margin set beforehand.
"""

import functools

import numpy as np
import yaml

from helpers import results, runs, statistics
from helpers.store import files, paths
from report import courses

LEVEL = 0.05
FEWEST = 3  # paired seeds below which there is no verdict
HOLDS, FAILS, CLOSE, CANNOT = "holds", "does not hold", "too close to call", "cannot be judged here"
SAID = "key part claim family quantity expected run_a run_b reference margin".split()
# Other images than the official ones, yet real.
OTHER = {courses.INCOMPARABLE[kind] for kind in ("partial", "substitute", "own")}
NOTHING = {**dict.fromkeys("difference low high low_images high_images p".split()), "n": 0}


def judge(profile, records):
    """Judge every claim; returns the list that claims.json holds, and writes it.

    An entry has what runs.yaml says of the claim; `data`, the label of the images; `why`, what
    stands against a verdict, or None; `n`, paired seeds; the numbers of `compare`; `p_holm`, p
    corrected within its family; and `verdict`. `records` is a dict from run to record.
    """
    right = functools.cache(lambda run: rightness(profile, run))
    register = [_measured(records, claim, right) for claim in runs.claims(profile)]
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
    numbers, why = NOTHING, "no record"
    if a and (b or claim["run_b"] is None):
        numbers = compare(a, b, right, claim["quantity"], claim["reference"], claim["margin"])
        why = courses.apart(a)  # images, or so short a run, that cannot decide the claim
        if claim["family"] == "ours" or claim["data"] == "any":
            why = None if why in OTHER else why
    if not why and numbers["n"] < FEWEST:
        why = f"{numbers['n']} paired seed{'' if numbers['n'] == 1 else 's'}"
    about = {"data": a["dataset"]["label"] if a else None, "why": why}
    return {**{name: claim[name] for name in SAID}, **about, **numbers, "p_holm": None}


def compare(a, b, right, quantity="test_accuracy", reference=None, margin=None):
    """A quantity of record `a` minus that of `b`, or for None minus `reference`, paired by seeds.

    `right` maps a run to its bool (seeds, images). Returns `n`, pairs; `difference`, their mean;
    `low`, `high` (95 %, other seeds); `low_images`, `high_images` (other test images too, for the
    test accuracy and the gap); and `p`: of a difference, or with a `margin` of none that is larger.
    What cannot be said is None.
    """
    if not (pairs := _pairs(a, b, quantity, reference)):
        return NOTHING
    rows, ours, others, theirs = map(np.array, zip(*pairs))
    numbers = NOTHING | statistics.paired(ours, theirs)
    if margin is not None:
        numbers["p"] = statistics.equivalence(ours, theirs, margin)
    if quantity in ("test_accuracy", "gap") and len(pairs) > 1:
        beside = reference if b is None else _by_image(b, right, others, quantity)
        wide = statistics.over_images(_by_image(a, right, rows, quantity), beside)
        numbers |= dict(zip(("low_images", "high_images"), wide))
    return numbers


def _by_image(record, right, rows, quantity):
    # (seeds, images): what each test image contributes to the accuracy, or to the gap.
    named = right(record["run"])[rows].astype("float64")
    if quantity == "test_accuracy":
        return named
    return np.array([[record["seeds"][row]["train_accuracy"]] for row in rows]) - named


def _pairs(a, b, quantity, reference):
    """(row of a, value of a, row of b, value of b) of the seeds that both trained on one back end
    and device, on the same images. What has no seeds, a number or the nearest neighbour, is a
    constant; a seed that lacks the quantity is left out."""
    if b is not None and any(a["dataset"][n] != b["dataset"][n] for n in ("sha256", "test")):
        return []
    ours, theirs = _values(a, quantity), {}
    if b is not None and "history" in b["seeds"][0]:
        theirs = _values(b, quantity)
    elif None is not (value := reference if b is None else measure(b["seeds"][0], quantity)):
        theirs = dict.fromkeys(ours, (0, value))
    return [(*ours[place], *theirs[place]) for place in ours if place in theirs]


def _values(record, quantity):
    # (seed, back end, device) -> (row, value), of the seeds that have the quantity.
    values = {}
    for row, seed in enumerate(record["seeds"]):
        versions, hardware = ({**record, **seed}[name] for name in ("versions", "hardware"))
        if (value := measure(seed, quantity)) is not None:
            values[seed["seed"], versions["backend"], hardware["accelerator"]] = row, value
    return values


def steps(records, profile):
    """What parts of a network or its training buy: the pairs of report/steps.yaml of which both
    runs have records on the same test images. Dicts with `part`, `what`, `alone`, the records
    `before` and `after`, and the numbers of `compare`."""
    right, taken = functools.partial(rightness, profile), []
    for pair in yaml.safe_load((paths.REPORT_SOURCE / "steps.yaml").read_text(encoding="utf-8")):
        before, after = records.get(pair["before"]), records.get(pair["after"])
        numbers = compare(after, before, right) if before and after else NOTHING
        if numbers["n"]:
            taken.append({"alone": False, **pair, "before": before, "after": after, **numbers})
    return taken


def measure(seed, quantity):
    """A quantity of one training, an entry of a record's `seeds`, as the head of runs.yaml explains
    it; None where it has none."""
    try:
        return float(DERIVED.get(quantity, lambda seed: seed[quantity])(seed))
    except (KeyError, IndexError, ValueError, ZeroDivisionError):
        return None


def _steps(seed):
    losses = seed["history"]["val_loss"]
    steps = np.diff(losses[len(losses) // 2 :])
    if len(steps) < 2:
        raise ValueError("too few epochs to swing")
    return steps


def _best(seed, search):
    return max(trial["score"] for trial in seed["trials"] if trial["search"] == search)


DERIVED = {
    "gap": lambda seed: seed["train_accuracy"] - seed["test_accuracy"],
    "loss_gap": lambda seed: seed["test_loss"] - seed["train_loss"],
    "loss_ratio": lambda seed: seed["test_loss"] / seed["train_loss"],
    "transformed": lambda seed: seed["transformed"]["test"],
    "best_epoch": lambda seed: 1 + np.argmin(seed["history"]["val_loss"]),
    "late_accuracy": lambda seed: np.mean(seed["history"]["val_accuracy"][-5:]),
    "swing": lambda seed: np.std(_steps(seed), ddof=1),
    "loss_below": lambda seed: np.mean(
        np.less(seed["history"]["val_loss"], seed["history"]["loss"])
    ),
    "search_lead": lambda seed: _best(seed, "random search") - _best(seed, "Hyperband"),
}


def rightness(profile, run):
    """bool (seeds, images): which test images each training of a run named correctly."""
    answers = results.predictions(profile, run)
    return answers["y_pred"] == answers["y_true"]

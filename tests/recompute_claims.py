"""An independent reader of the claims: computes every number of claims.json again and compares.

    python tests/recompute_claims.py [report/full]

It reads records (JSON), predictions (NPZ) and notebooks/runs.yaml, imports nothing of the project,
and leaves the statistics to statsmodels. Accuracies come from the predictions, never from records.
Exit status 1, and a line for each difference, where something does not agree.
"""

import json
import sys
from pathlib import Path

import numpy as np
import yaml
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

ROOT = Path(__file__).parent.parent
NUMBERS = "n difference low high low_images high_images p p_holm".split()
GIVEN = "claim family quantity expected reference margin".split()


def half(interval):
    return (interval[1] - interval[0]) / 2


def statistics(gaps, margin):
    """Of paired differences: mean, t interval, p (two-sided, or of two one-sided tests)."""
    mean, n = gaps.mean(), len(gaps)
    if n < 2:
        return {"difference": mean}
    if np.ptp(gaps) < 1e-12:  # no spread: sure of it
        p = mean == 0 if margin is None else abs(mean) >= margin
        return {"difference": mean, "low": mean, "high": mean, "p": float(p)}
    seeds = DescrStatsW(gaps)
    p = seeds.ttest_mean(0)[1] if margin is None else seeds.ttost_mean(-margin, margin)[0]
    low, high = seeds.tconfint_mean(0.05)
    return {"difference": mean, "low": low, "high": high, "p": p}


def over_images(gaps):
    """Half-widths over seeds (Student) and over images (normal) of a mean, in squares."""
    means = [gaps.mean(axis=1), gaps.mean(axis=0)]
    seeds, images = (DescrStatsW(values) if np.ptp(values) > 1e-12 else None for values in means)
    t = half(seeds.tconfint_mean(0.05)) if seeds else 0
    reach = np.hypot(t, half(images.zconfint_mean(0.05)) if images else 0)
    return {"low_images": gaps.mean() - reach, "high_images": gaps.mean() + reach}


def quantity(seed, accuracy, name):
    val, own = (np.array(seed.get("history", {}).get(k, [])) for k in ("val_loss", "loss"))
    late = np.diff(val[len(val) // 2 :])

    def best(search):
        return max(trial["score"] for trial in seed["trials"] if trial["search"] == search)

    computed = {
        "test_accuracy": lambda: accuracy,
        "gap": lambda: seed["train_accuracy"] - accuracy,
        "loss_gap": lambda: seed["test_loss"] - seed["train_loss"],
        "loss_ratio": lambda: seed["test_loss"] / seed["train_loss"],
        "transformed": lambda: seed["transformed"]["test"],
        "best_epoch": lambda: 1 + val.argmin(),
        "late_accuracy": lambda: np.mean(seed["history"]["val_accuracy"][-5:]),
        "swing": lambda: late.std(ddof=1),
        "loss_below": lambda: (val < own).mean(),
        "search_lead": lambda: best("random search") - best("Hyperband"),
    }
    return computed.get(name, lambda: seed[name])()


def verdict(claim, numbers, record):
    """The rule, in words in the report's section on measuring."""
    free = claim["family"] == "ours" or claim.get("data") == "any"
    kind = record["dataset"]["kind"]
    if numbers["n"] < 3 or kind == "stand-in" or not (free or kind == "official"):
        return "cannot be judged here"
    low, high = (numbers[k] for k in ("low", "high"))
    if numbers["low_images"] is not None:
        low, high = numbers["low_images"], numbers["high_images"]
    sure, margin = numbers["p_holm"] < 0.05, claim.get("margin", 0)
    inside, above, below = -margin < low and high < margin, low > margin, high < -margin
    right = {"=": inside, ">": above, "<": below}[claim["expected"]]
    wrong = {"=": above or below, ">": below, "<": above}[claim["expected"]]
    failed = wrong and (sure or claim["expected"] == "=")
    return "holds" if right and sure else "does not hold" if failed else "too close to call"


def measured(claim, run, records, right):
    """The numbers of one claim, without what depends on the others."""
    a, b = records.get(run), records.get(claim.get("against"))
    numbers = {name: None for name in NUMBERS} | {"n": 0}
    if not a or ("against" in claim and not b):
        return numbers

    def values(record):  # and the row of the predictions, for each seed, back end and device
        shares = right[record["run"]].mean(axis=1)
        for row, (seed, share) in enumerate(zip(record["seeds"], shares)):
            place = (seed["seed"], seed["versions"]["backend"], seed["hardware"]["accelerator"])
            yield place, (quantity(seed, share, claim["quantity"]), row)

    mine = dict(values(a))
    if not b:
        other = {place: (claim["reference"], 0) for place in mine}
    elif "history" not in b["seeds"][0]:  # the nearest neighbour has no seeds
        other = dict.fromkeys(mine, next(values(b))[1])
    else:
        other = dict(values(b))
    places = [place for place in mine if place in other]
    if not places:
        return numbers
    gaps = np.array([mine[place][0] - other[place][0] for place in places])
    numbers |= {"n": len(gaps), **statistics(gaps, claim.get("margin"))}
    if claim["quantity"] in ("test_accuracy", "gap") and len(gaps) > 1:
        rows, others = ([side[place][1] for place in places] for side in (mine, other))
        apart = right[run][rows] - (right[b["run"]][others].astype(float) if b else 0.0)
        if claim["quantity"] == "gap":  # training minus test: what is right lessens it
            apart = -apart
        numbers |= over_images(apart + (gaps - apart.mean(axis=1))[:, None])
    return numbers


def differences(folder):
    """A line for each thing in folder/claims.json that does not follow from folder/results."""
    files = sorted((folder / "results").glob("*.json"))
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in files}
    right = {}
    for run, record in records.items():
        with np.load(folder / "results" / f"{run}.npz") as arrays:
            right[run] = arrays["y_pred"] == arrays["y_true"]
        for seed, share in zip(record["seeds"], right[run].mean(axis=1), strict=True):
            if abs(seed["test_accuracy"] - share) > 1e-6:
                yield f"{run}, seed {seed['seed']}: predictions and record disagree"
    table = yaml.safe_load((ROOT / "notebooks/runs.yaml").read_text(encoding="utf-8"))["runs"]
    table = {run: line for run, line in table.items() if line.get(folder.name) != "later"}
    claims = [(claim, run) for run, line in table.items() for claim in line.get("claims", ())]
    again = [(claim, run, measured(claim, run, records, right)) for claim, run in claims]
    for family in ("reports", "ours"):
        mine = [n for claim, _, n in again if claim["family"] == family and n["p"] is not None]
        corrected = multipletests([n["p"] for n in mine], method="holm")[1] if mine else []
        for numbers, p in zip(mine, corrected):
            numbers["p_holm"] = p
    written = json.loads((folder / "claims.json").read_text(encoding="utf-8"))
    found = {(entry["key"], entry["part"]): entry for entry in written}
    if len(written) != len(again):
        yield f"{len(written)} claims are written, {len(again)} stand in runs.yaml"
    for claim, run, numbers in again:
        entry, name = found.get((claim["key"], claim.get("part")), {}), claim["key"]
        word = verdict(claim, numbers, records[run]) if run in records else "cannot be judged here"
        given = {"run_b": claim.get("against")} | {field: claim.get(field) for field in GIVEN}
        for field, value in {**numbers, **given, "run_a": run, "verdict": word}.items():
            said = entry.get(field)
            both = said is not None and isinstance(value, (int, float))
            if not (np.isclose(said, value, rtol=1e-6, atol=1e-9) if both else said == value):
                yield f"{name} {claim.get('part', '')}: {field} is {said}, not {value}"


if __name__ == "__main__":
    lines = list(differences(Path(sys.argv[1]) if sys.argv[1:] else ROOT / "report/full"))
    print("\n".join(lines) or "every number of the claims is as computed again")
    sys.exit(bool(lines))

"""The report's claims "A is better than B", each tested on the same test images and worded by the outcome."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from helpers import results, statistics
from helpers.show.exhibits import plain
from helpers.store import files, paths

# What is claimed, the run that should win, the one it should beat. All of them are one family for Holm's correction.
CLAIMS = [
    ("A single convolution beats the dense network", "mnist-first", "mnist-mlp"),
    ("Three convolutions beat one", "mnist-second-v1", "mnist-first"),
    (
        "Dropout and shrinking kernels beat the plain three convolutions",
        "mnist-second-v2",
        "mnist-second-v1",
    ),
    ("Two convolutions with dropout beat the dense network", "mnist-cnn", "mnist-mlp"),
    ("Augmentation improves the same network", "mnist-cnn-augmented", "mnist-cnn"),
    (
        "Augmentation improves the same network after as many epochs",
        "mnist-cnn-augmented",
        "mnist-cnn-20-epochs",
    ),
    (
        "Batch normalisation by itself improves the three convolutions",
        "mnist-second-v1-normalised",
        "mnist-second-v1",
    ),
    (
        "A dropout of 0.5 is better than one of 0.25",
        "mnist-second-v2-course",
        "mnist-second-v2-course-dropout-25",
    ),
    ("All means of regularisation together beat dropout alone", "mnist-third", "mnist-cnn"),
    (
        "Patience pays: stopping late beats stopping early",
        "mnist-third-patient",
        "mnist-third-hasty",
    ),
    ("The CNN beats the dense network", "fashion-cnn-1x100", "fashion-dense"),
    ("One dense layer of 100 beats two of 50", "fashion-cnn-1x100", "fashion-cnn-2x50"),
    ("One dense layer of 100 beats three of 75", "fashion-cnn-1x100", "fashion-cnn-3x75"),
    ("A dense layer of 100 beats one of 87", "fashion-cnn-1x100", "fashion-cnn-1x87"),
    ("A dense layer of 200 beats one of 100", "fashion-cnn-1x200", "fashion-cnn-1x100"),
    ("The second network beats the first", "emnist-second-letters", "emnist-first-letters"),
    ("The third network beats the second", "emnist-third-letters", "emnist-second-letters"),
    ("The third network beats the second", "emnist-third-balanced", "emnist-second-balanced"),
    (
        "The large network beats the small one on plain hands",
        "fingers-ivannet-plain",
        "fingers-carlosnet-plain",
    ),
    (
        "Augmentation costs the small network accuracy on plain hands",
        "fingers-carlosnet-plain",
        "fingers-carlosnet-augmented",
    ),
    (
        "Augmentation costs the large network accuracy on plain hands",
        "fingers-ivannet-plain",
        "fingers-ivannet-augmented",
    ),
    ("The dense network beats the nearest neighbour", "mnist-mlp", "audit-mnist"),
    ("The dense network beats the nearest neighbour", "fashion-dense", "audit-fashion"),
    ("The first CNN beats the nearest neighbour", "emnist-first-letters", "audit-emnist-letters"),
    (
        "The second CNN beats the nearest neighbour",
        "emnist-second-balanced",
        "audit-emnist-balanced",
    ),
    ("The third CNN beats the nearest neighbour", "emnist-third-bymerge", "audit-emnist-bymerge"),
    ("The tuned dense network beats the nearest neighbour", "k49-tuned", "audit-k49"),
    (
        "The small network beats the nearest neighbour on plain hands",
        "fingers-carlosnet-plain",
        "audit-fingers",
    ),
]


def compare(one, other):
    """Test accuracy of a run minus that of another on the same test images: `difference`, `low`, `high` by paired bootstrap over images and, where a run has several,
    seeds. one, other: (record, predictions). None where the data or the test images are not the same.
    """
    (record, found), (held, theirs) = one, other
    if record["dataset"]["sha256"] != held["dataset"]["sha256"] or not np.array_equal(
        found["y_true"], theirs["y_true"]
    ):
        return None
    difference, low, high = statistics.paired_bootstrap(
        found["y_pred"] == found["y_true"], theirs["y_pred"] == theirs["y_true"]
    )
    return {"difference": difference, "low": low, "high": high}


def judge(profile, records):
    """Test every claim whose two runs have records on the same test images; returns the list that `report/PROFILE/claims.json` holds."""
    asked = [claim for claim in CLAIMS if claim[1] in records and claim[2] in records]
    with ThreadPoolExecutor(
        2
    ) as pool:  # NumPy draws and zlib unpacks without holding the interpreter
        found = [
            entry
            for entry in pool.map(lambda claim: _tested(profile, records, *claim), asked)
            if entry
        ]
    for claim, corrected in zip(found, statistics.holm([claim["p"] for claim in found])):
        claim["p_holm"] = corrected
        claim["verdict"] = verdict(claim)
    files.save_json(paths.report(profile) / "claims.json", found)
    return found


def _tested(profile, records, claim, run_a, run_b):
    """A claim's entry without what depends on the other claims; None where the test images are not the same: nothing can be paired."""
    a, b = (results.predictions(profile, run) for run in (run_a, run_b))
    gap = compare((records[run_a], a), (records[run_b], b))
    if not gap:
        return None
    right_a, right_b = (one["y_pred"] == one["y_true"] for one in (a, b))
    seed_a, seed_b = (results.median_seed(records[run]) for run in (run_a, run_b))
    return {
        "claim": claim,
        "run_a": run_a,
        "run_b": run_b,
        "data": records[run_a]["dataset"]["label"],
        "seed_a": records[run_a]["seeds"][seed_a]["seed"],
        "seed_b": records[run_b]["seeds"][seed_b]["seed"],
        "p": statistics.mcnemar(right_a[seed_a], right_b[seed_b]),
        **gap,
        "changed": training_changes(records[run_b], records[run_a]),
    }


def training_changes(before, after):
    """What changed in training between two runs: optimiser, rate, batch, epochs and a rate that is halved, in words; "" if none of them did, or one side is not trained."""

    def told(record):
        held = record["parameters"]
        return {
            "optimiser": str(held["optimizer"]),
            "rate": f"{held['learning_rate']:g}",
            "batch": str(held["batch_size"]),
            "epochs": f"{results.mean_std(record, 'epochs')[0]:.3g}",
        }

    if not all("epochs" in record["seeds"][0] for record in (before, after)):
        return ""  # one is the nearest neighbour
    one, other = told(before), told(after)
    said = [f"{name} {one[name]} to {other[name]}" for name in one if one[name] != other[name]]
    halved = [record["parameters"].get("reduce_patience", 0) > 0 for record in (before, after)]
    said += (
        ["rate halved where the loss stalls" if halved[1] else "rate no longer halved"]
        if halved[0] != halved[1]
        else []
    )
    return "; ".join(said)


def verdict(claim, level=0.05):
    """ "holds" or "the opposite holds" where the corrected p-value and the interval agree that there is a difference; else "not decided"."""
    if claim["p_holm"] < level and claim["low"] > 0:
        return "holds"
    if claim["p_holm"] < level and claim["high"] < 0:
        return "the opposite holds"
    return "not decided"


def sentence(found, run_a, run_b):
    """One sentence on the claim about two runs, worded by its outcome; "" where it was not tested."""
    claim = next((one for one in found if (one["run_a"], one["run_b"]) == (run_a, run_b)), None)
    if not claim:
        return ""
    gap = f"{100 * claim['difference']:+.2f} points, 95 % interval {100 * claim['low']:+.2f} to {100 * claim['high']:+.2f}, corrected p {p_text(claim['p_holm'])}"
    gap += f"; in training also changed: {claim['changed']}" if claim["changed"] else ""
    outcome = {
        "holds": "The test images bear this out",
        "the opposite holds": "The test images show the opposite",
        "not decided": "The test images do not decide this",
    }[claim["verdict"]]
    return f"{claim['claim']}? {outcome} (on {plain(claim['data'])}: {gap})."


def p_text(p, short=False):
    """A p-value in words, or as short as a table has room for."""
    return (
        ("< 0.0001" if short else "below 0.0001")
        if p < 0.0001
        else f"{p:.4f}"
        if p < 0.01
        else f"{p:.2f}"
    )

"""What a claim may compare: quantities of one training, as the head of runs.yaml explains them.

report/claims.py calls it; `seed` is an entry of a record's `seeds`.
"""

import numpy as np


def measure(seed, quantity):
    """A quantity of one training, as the head of runs.yaml explains it; None where it has none."""
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

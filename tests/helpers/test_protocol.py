"""What the choice of an epoch by the test images promises, and what it keeps."""

import math

import numpy as np
import pytest

from helpers import protocol

RNG = np.random.default_rng(0)


def flips(epochs, n, accuracy):
    """Epochs that are right on images drawn anew each time: no epoch is better than another."""
    return RNG.random((epochs, n)) < accuracy


def test_among_equal_epochs_all_that_a_choice_promises_is_luck():
    found = [protocol.selection(flips(20, 1000, 0.9), halves=50) for _ in range(40)]
    promised, kept, optimism = (
        np.mean([one[name] for one in found]) for name in ("promised", "kept", "optimism")
    )
    assert promised > 0.015 and abs(kept) < 0.004, "no epoch is better than the last one"
    # The largest of 20 standard normal numbers is 1.867 on average.
    assert optimism == pytest.approx(1.867 * math.sqrt(0.9 * 0.1 / 500), rel=0.15)


def test_an_epoch_that_is_better_keeps_its_lead():
    right = np.zeros((3, 1000), bool)
    right[1, :900], right[2, :500] = True, True
    found = protocol.selection(right, halves=20)
    assert found["kept"] == pytest.approx(0.4, abs=1e-6) and found["promised"] == pytest.approx(
        0.4, abs=1e-6
    )
    assert found["optimism"] == pytest.approx(0, abs=1e-9) and (found["epoch"], found["lead"]) == (
        2,
        pytest.approx(0.4),
    )


def test_one_epoch_leaves_no_choice_and_of_equals_the_first_is_taken():
    one = protocol.selection(flips(1, 101, 0.5), halves=10)
    assert (one["promised"], one["kept"], one["lead"], one["epoch"]) == (0, 0, 0, 1) and one[
        "optimism"
    ] == pytest.approx(0, abs=0.03)
    assert protocol.selection(np.ones((4, 10), bool), halves=5)["epoch"] == 1


def test_the_choice_is_the_same_every_time():
    right = flips(5, 200, 0.8)
    assert protocol.selection(right) == protocol.selection(right)

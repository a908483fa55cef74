"""What is said of hyper-parameter searches: each seed is a search of its own, and few searches
decide little."""

import pytest

from report.prose import readings

SPACE = {
    "activation": "relu",
    "initializer": "he_uniform",
    "layers": 1,
    "units_1": 64,
    "learning_rate": 1e-3,
}


def trial(kind, curve, **more):
    return {
        "search": kind,
        "trial": "00",
        "values": SPACE,
        "score": max(curve),
        "curve": curve,
        "epochs": len(curve),
        "seconds": 1.0,
        "start": 0,
        **more,
    }


def searched(*pairs):
    """A record of searches: for each seed the best accuracies of random search and of Hyperband."""
    seeds = [
        {
            "seed": seed,
            "test_accuracy": 0.9 + seed / 100,
            "parameter_count": 1000 + seed,
            "trials": [
                trial("random search", [0.1, at_random]),
                trial("Hyperband", [hyperband]),
                trial("Hyperband", [0.2], start=1),
            ],
        }
        for seed, (at_random, hyperband) in enumerate(pairs)
    ]
    return {
        "run": "k49-search",
        "seeds": seeds,
        "parameter_count": 1000,
        "dataset": {"label": "Kuzushiji-Kanji"},
    }


def test_one_search_each_decides_nothing():
    said = readings.trials_reading(searched((0.90, 0.92)))
    assert "a difference of +2.00 points. One search each says little" in said
    assert "spent 2 epochs" in said
    assert (
        "of 1 setting that random search tried, Hyperband, which draws from the same seeds, "
        "tried 1 as well" in said
    )
    other = searched((0.90, 0.92))
    other["seeds"][0]["trials"][0]["values"] = {**SPACE, "units_1": 96}
    assert "tried 0 as well" in readings.trials_reading(other)
    other["seeds"][0]["trials"][0]["values"] = {**SPACE, "units_2": 96}
    assert "tried 1 as well" in readings.trials_reading(other), (
        "a second layer's units are not used by a network of one"
    )


def test_several_searches_are_compared_in_pairs_with_students_interval():
    # Gaps of 1, 2 and 3 points: mean 2, deviation 1, and t(.975, 2) = 4.3027 gives 2 -+ 4.3027 /
    # sqrt(3) = 2 -+ 2.48.
    said = readings.trials_reading(searched((0.90, 0.91), (0.90, 0.92), (0.90, 0.93)))
    assert "+2.00 points [-0.48, +4.48], with Hyperband ahead in 3 of 3 pairs." in said
    assert "means of 3 searches" in said


def test_only_what_both_could_afford_is_compared():
    record = searched((0.90, 0.92))
    record["seeds"][0]["trials"].append(
        trial("Hyperband", [0.99])
    )  # a third epoch, which random search did not have
    assert "92.00 % by Hyperband" in readings.trials_reading(record)


@pytest.mark.parametrize("spent", [1, 2])
def test_a_trial_that_does_not_end_within_the_budget_does_not_count(spent):
    assert (
        readings._best_within(spent, [trial("Hyperband", [0.3]), trial("Hyperband", [0.8])])
        == {1: 0.3, 2: 0.8}[spent]
    )

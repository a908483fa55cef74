"""What is said of hyper-parameter searches: each seed is a search of its own, and few searches decide little."""

import pytest

from helpers import results
from helpers import show as plots
from helpers.show import tables
from helpers.show.training import _best_so_far

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
    said = tables.trials_reading(searched((0.90, 0.92)))
    assert (
        "Hyperband found the better network by 2.00 points. One search each says little" in said
        and "spent 2 epochs" in said
    )
    assert (
        "of 1 setting that random search tried, Hyperband, which draws from the same seeds, tried 1 as well"
        in said
    )
    other = searched((0.90, 0.92))
    other["seeds"][0]["trials"][0]["values"] = {**SPACE, "units_1": 96}
    assert "tried 0 as well" in tables.trials_reading(other)
    other["seeds"][0]["trials"][0]["values"] = {**SPACE, "units_2": 96}
    assert "tried 1 as well" in tables.trials_reading(other), (
        "a second layer's units are not used by a network of one"
    )
    assert "equally good" in tables.trials_reading(searched((0.90, 0.9001)))


def test_several_searches_are_compared_in_pairs_with_students_interval():
    # Gaps of 1, 2 and 3 points: mean 2, deviation 1, and t(.975, 2) = 4.3027 gives 2 -+ 4.3027 / sqrt(3) = 2 -+ 2.48.
    said = tables.trials_reading(searched((0.90, 0.91), (0.90, 0.92), (0.90, 0.93)))
    assert (
        "+2.00 points [-0.48, +4.48], with Hyperband ahead in 3 of 3 pairs. So few searches do not decide"
        in said
        and "means of 3 searches" in said
    )
    surer = tables.trials_reading(searched((0.90, 0.919), (0.90, 0.92), (0.90, 0.921)))
    assert "Hyperband is the better search here" in surer
    assert "do not decide" in tables.trials_reading(
        searched((0.90, 0.92), (0.90, 0.92), (0.90, 0.92))
    ), "equal differences say nothing of their spread"
    assert "do not decide" in tables.trials_reading(searched((0.90, 0.919), (0.90, 0.92))), (
        "nor do two"
    )
    assert "Random search is the better search here" in tables.trials_reading(
        searched((0.92, 0.901), (0.92, 0.90), (0.92, 0.899))
    )


def test_only_what_both_could_afford_is_compared():
    record = searched((0.90, 0.92))
    record["seeds"][0]["trials"].append(
        trial("Hyperband", [0.99])
    )  # a third epoch, which random search did not have
    assert "92.00 % by Hyperband" in tables.trials_reading(record)


def test_table_shows_the_searches_of_the_first_seed_whose_network_the_record_describes():
    table = tables.trials(searched((0.8, 0.75), (0.9, 0.6)))
    assert [row[-1] for row in table.rows] == [
        "80.00 %",
        "75.00 %",
        "20.00 %",
    ] and "seed 0, one of 2" in table.caption


def test_network_size_is_a_range_where_each_search_finds_its_own():
    assert results.network_size(searched((0.7, 0.6), (0.8, 0.75))) == "1,000 to 1,001"
    assert results.network_size({"parameter_count": 669706, "seeds": [{}, {}]}) == "669,706"


def test_each_search_has_a_best_so_far_of_its_own():
    found = [
        {**one, "seed": seed["seed"]}
        for seed in searched((0.7, 0.6), (0.8, 0.75))["seeds"]
        for one in seed["trials"]
    ]
    assert [
        list(best) for best in _best_so_far([one for one in found if one["search"] == "Hyperband"])
    ] == [[0.6, 0.6], [0.75, 0.75]]
    labels = [
        text.get_text()
        for text in plots.trials(
            found, {"kind": "substitute", "title": "Kuzushiji-Kanji", "label": "Kuzushiji-Kanji"}
        )
        .axes[1]
        .get_legend()
        .get_texts()
    ]
    assert labels == [
        "random search: 0.7500 with 2 trials, mean of 2 searches",
        "Hyperband: 0.6750 with 4 trials, mean of 2 searches",
    ]


@pytest.mark.parametrize("spent", [1, 2])
def test_a_trial_that_does_not_end_within_the_budget_does_not_count(spent):
    assert (
        tables._best_within(spent, [trial("Hyperband", [0.3]), trial("Hyperband", [0.8])])
        == {1: 0.3, 2: 0.8}[spent]
    )

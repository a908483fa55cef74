"""Intervals and tests against independent libraries, hand-computed cases and simulation."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW, ttost_paired

from helpers import statistics


@pytest.mark.parametrize("successes, n", [(0, 10), (10, 10), (1, 3), (9849, 10000), (1, 1)])
def test_wilson_interval_agrees_with_statsmodels_at_the_edges_too(successes, n):
    assert statistics.wilson(successes, n) == pytest.approx(
        proportion_confint(successes, n, method="wilson"), abs=1e-12
    )


@pytest.mark.parametrize("only_a, only_b", [(0, 0), (1, 0), (0, 7), (5, 5), (30, 12)])
def test_exact_mcnemar_agrees_with_statsmodels(only_a, only_b):
    a = np.array([True] * only_a + [False] * only_b + [True, False])
    b = np.array([False] * only_a + [True] * only_b + [True, False])
    expected = mcnemar([[1, only_a], [only_b, 1]], exact=True).pvalue if only_a + only_b else 1.0
    assert statistics.mcnemar(a, b) == pytest.approx(min(1.0, expected))


@pytest.mark.parametrize("p", [[0.01], [0.04, 0.01, 0.03], [0.5, 0.5, 0.5], [0.0, 1.0, 0.2, 0.02]])
def test_holm_correction_agrees_with_statsmodels_in_the_given_order(p):
    assert statistics.holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist())


def test_holm_of_no_claims_is_empty():
    assert statistics.holm([]) == []


@pytest.mark.parametrize("n", [2, 3, 10])
def test_paired_t_agrees_with_scipy_and_statsmodels(n):
    a, b = np.random.default_rng(n).normal(0.9, 0.01, (2, n))
    told = statistics.paired(a, b)
    test = stats.ttest_rel(a, b)
    assert told["n"] == n and told["difference"] == pytest.approx(a.mean() - b.mean())
    assert told["p"] == pytest.approx(test.pvalue)
    assert (told["low"], told["high"]) == pytest.approx(tuple(test.confidence_interval()))
    assert (told["low"], told["high"]) == pytest.approx(DescrStatsW(a - b).tconfint_mean())


def test_a_constant_takes_the_place_of_a_run():
    a = np.array([0.91, 0.93, 0.92])
    assert statistics.paired(a, 0.9)["p"] == pytest.approx(stats.ttest_1samp(a, 0.9).pvalue)


@pytest.mark.parametrize("n", [3, 10])
def test_two_one_sided_tests_agree_with_statsmodels(n):
    a, b = np.random.default_rng(n).normal(0.9, 0.01, (2, n))
    for margin in (0.001, 0.01, 0.1):
        expected = ttost_paired(a, b, -margin, margin)[0]
        assert statistics.equivalence(a, b, margin) == pytest.approx(expected)


def test_what_has_no_spread_or_no_second_seed_is_told_as_such():
    assert statistics.paired([0.2], [0.1])["p"] is None is statistics.equivalence([0.2], [0.1], 1)
    same = statistics.paired([0.3, 0.4, 0.5], [0.2, 0.3, 0.4])  # 0.1 each, but for rounding
    assert same["p"] == 0 and same["low"] == same["high"] == pytest.approx(0.1)
    assert statistics.paired([0.3, 0.4], [0.3, 0.4])["p"] == 1
    assert statistics.equivalence([0.3, 0.4], [0.3, 0.4], 0.01) == 0
    assert statistics.equivalence([0.3, 0.4], [0.2, 0.3], 0.01) == 1
    assert statistics.next_training([0.9, 0.8]) is None


def test_prediction_interval_is_the_textbooks():
    values = np.array([0.98, 0.984, 0.979, 0.99])
    reach = stats.t.ppf(0.975, 3) * values.std(ddof=1) * np.sqrt(1 + 1 / 4)
    expected = values.mean() - reach, values.mean() + reach
    assert statistics.next_training(values) == pytest.approx(expected)


def test_other_test_images_only_widen_an_interval():
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 4, 500)) < 0.9
    over_seeds = statistics.paired(a.mean(axis=1), b.mean(axis=1))
    low, high = statistics.over_images(a, b)
    assert low < over_seeds["low"] and over_seeds["high"] < high
    assert statistics.over_images(a, a) == (0, 0)
    one = statistics.over_images(a, b[:1])  # a method without seeds, and a number
    assert one[0] < a.mean() - b[0].mean() < one[1]
    assert sum(statistics.over_images(a, 0.5)) / 2 == pytest.approx(a.mean() - 0.5)


# Coverage: how often an interval of 95 % holds the truth, in 4,000 simulations, whose own error is
# 0.35 points. Exact methods must come within 1.2 points, approximations as their tests say.

TIMES = 4000


def covered(intervals, truths):
    low, high = np.transpose(intervals)
    return np.mean((low <= truths) & (truths <= high))


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_interval_over_seeds(n):
    gaps = np.random.default_rng(n).normal(0.003, 0.002, (TIMES, n))
    told = [statistics.paired(row) for row in gaps]
    assert covered([(t["low"], t["high"]) for t in told], 0.003) == pytest.approx(0.95, abs=0.012)


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_interval_over_seeds_is_a_little_low_for_skewed_ratios(n):
    ratios = np.exp(np.random.default_rng(n).normal(0, 0.5, (TIMES, n)))  # as of two losses
    told = [statistics.paired(row) for row in ratios]
    assert 0.90 < covered([(t["low"], t["high"]) for t in told], np.exp(0.5**2 / 2)) < 0.94


@pytest.mark.parametrize("n", [5, 10])
def test_coverage_of_the_interval_over_seeds_for_whole_epochs(n):
    epochs = np.random.default_rng(n).poisson(4, (TIMES, n))
    told = [statistics.paired(row) for row in epochs]
    assert 0.92 < covered([(t["low"], t["high"]) for t in told], 4) < 0.97


@pytest.mark.parametrize("n", [3, 5, 10])
def test_coverage_of_the_interval_for_one_more_training(n):
    accuracies = np.random.default_rng(n).normal(0.98, 0.002, (TIMES, n + 1))
    intervals = [statistics.next_training(row[:-1]) for row in accuracies]
    assert covered(intervals, accuracies[:, -1]) == pytest.approx(0.95, abs=0.012)


def law(seed, slope=-0.4, noise=0.05, seeds=5):
    """Errors of small trainings that follow a power law, and of one large one each."""
    rng, images = np.random.default_rng(seed), np.repeat([500, 1000, 2000], seeds)
    large = np.array([4000, 8000])
    return (
        images,
        0.9 * images**slope * np.exp(rng.normal(0, noise, len(images))),
        large,
        0.9 * large**slope * np.exp(rng.normal(0, noise, 2)),
    )


def test_coverage_of_a_power_laws_promise_to_larger_sets():
    inside = []
    for seed in range(TIMES):
        images, errors, large, truth = law(seed)
        _, _, low, high = statistics.power_law(images, errors, large)
        inside.append((low <= truth) & (truth <= high))
    assert np.mean(inside, axis=0) == pytest.approx([0.95, 0.95], abs=0.012)


def test_a_power_law_agrees_with_least_squares_by_statsmodels():
    from statsmodels.api import OLS, add_constant

    images, errors, large, _ = law(1)
    slope, *found = statistics.power_law(images, errors, large)
    fit = OLS(np.log(errors), add_constant(np.log(images))).fit()
    ends = fit.get_prediction(add_constant(np.log(large))).summary_frame(alpha=0.05)
    assert slope == pytest.approx(fit.params[1])
    for values, name in zip(found, ("mean", "obs_ci_lower", "obs_ci_upper")):
        np.testing.assert_allclose(np.log(values), ends[name])


@pytest.mark.parametrize("n", [3, 10])
@pytest.mark.parametrize("over_seeds", [0.0, 0.005, 0.03])
def test_coverage_of_the_interval_over_seeds_and_images(n, over_seeds):
    """Two procedures, better or worse by chance with each seed, on images that are hard for both:
    at least the nominal 95 % (less 1), whichever chance is the larger. Where it is all of one seed
    and one image the interval is wide, and must not be useless."""
    rng, images, times = np.random.default_rng(n), 400, 1500
    intervals = []
    for _ in range(times):
        hard = rng.beta(8, 1, images)
        luck = rng.normal(0, over_seeds, (2, n, 1))
        a = rng.random((n, images)) < np.clip(hard + 0.02 + luck[0], 0, 1) * 0.9
        b = rng.random((n, images)) < np.clip(hard - 0.02 + luck[1], 0, 1) * 0.9
        intervals.append(statistics.over_images(a, b))
    draws = rng.beta(8, 1, (200000, 1)) + rng.normal(0, over_seeds, (200000, 1))
    truth = 0.9 * np.mean(np.clip(draws + 0.02, 0, 1) - np.clip(draws - 0.02, 0, 1))
    assert 0.94 < covered(intervals, truth) < 0.999
    assert np.mean(np.ptp(intervals, axis=1)) < 0.25


@pytest.mark.parametrize("n, share", [(1000, 0.9), (1000, 0.99), (10000, 0.995)])
def test_coverage_of_wilsons_interval(n, share):
    """Computed from the binomial distribution; within 2 points, for the counts are whole."""
    counts = np.arange(int(0.8 * n), n + 1)
    inside = np.array(
        [low <= share <= high for low, high in (statistics.wilson(c, n) for c in counts)]
    )
    assert stats.binom.pmf(counts[inside], n, share).sum() == pytest.approx(0.95, abs=0.02)


def test_coverage_of_the_interval_of_balanced_accuracy():
    """Within 3 points: of rare classes the normal distribution is an approximation."""
    rng, truth = np.random.default_rng(5), np.repeat([0, 1, 2], [600, 300, 100])
    recalls = np.array([0.95, 0.85, 0.7])
    right = rng.random((600, len(truth))) < recalls[truth]
    told = [statistics.balanced_interval(truth, row[None]) for row in right]
    assert covered([t[1:] for t in told], recalls.mean()) == pytest.approx(0.95, abs=0.03)


def test_equality_is_not_told_of_procedures_that_differ_by_the_margin():
    gaps = np.random.default_rng(1).normal(0.01, 0.005, (TIMES, 5))
    assert np.mean([statistics.equivalence(row, 0, 0.01) < 0.05 for row in gaps]) < 0.06


def test_balanced_accuracy_by_hand_with_a_rare_a_missing_and_an_unpredicted_class():
    truth, answers = np.array([0, 0, 0, 0, 1, 3]), np.array([0, 0, 0, 1, 0, 3])
    recalls = statistics.recalls(truth, answers, 4)
    assert recalls[:2] == pytest.approx([0.75, 0]) and np.isnan(recalls[2]) and recalls[3] == 1
    assert statistics.balanced_accuracy(truth, answers, 4) == pytest.approx((0.75 + 0 + 1) / 3)


def test_a_constant_classifier_has_the_balanced_accuracy_of_chance():
    truth = np.repeat(np.arange(10), [100, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    assert statistics.balanced_accuracy(truth, np.zeros_like(truth), 10) == pytest.approx(0.1)


def test_the_interval_of_balanced_accuracy_agrees_with_a_bootstrap_within_classes():
    rng = np.random.default_rng(3)
    truth = rng.choice(3, 600, p=[0.7, 0.25, 0.05])
    right = rng.random((2, 600)) < np.array([0.95, 0.7, 0.4])[truth]
    value, low, high = statistics.balanced_interval(truth, right)
    share, drawn = right.mean(axis=0), []
    for _ in range(2000):
        drawn.append(
            np.mean(
                [
                    share[rng.choice(np.flatnonzero(truth == label), (truth == label).sum())].mean()
                    for label in range(3)
                ]
            )
        )
    assert value == pytest.approx(
        np.mean(
            [
                statistics.balanced_accuracy(truth, np.where(one, truth, (truth + 1) % 3), 3)
                for one in right
            ]
        )
    )
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.01)


def test_the_interval_of_balanced_accuracy_of_nothing_but_right_or_wrong_answers_has_no_width():
    truth = np.array([0, 0, 1])
    assert statistics.balanced_interval(truth, np.ones((1, 3), bool)) == (1, 1, 1)
    assert statistics.balanced_interval(truth, np.zeros((1, 3), bool)) == (0, 0, 0)


def test_the_interval_of_balanced_accuracy_counts_the_classes_that_occur():
    assert (
        statistics.balanced_interval(
            np.array([0, 0, 5, 5]), np.array([[True, True, False, False]])
        )[0]
        == 0.5
    )


def test_the_exact_test_begins_to_see_at_six_images():
    for images, seen in ((6, True), (5, False)):
        a, b = np.ones(100, bool), np.arange(100) >= images
        assert (statistics.mcnemar(a, b) < 0.05) == seen

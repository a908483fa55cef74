"""How sure a number is: intervals, paired tests, corrections for many claims. NumPy and SciPy only."""

import numpy as np
from scipy import special

TEMPERATURES = 0.05, 20  # the least and the largest that temperature scaling tries


def wilson(successes, n, level=0.95):
    """Wilson's score interval (low, high) of a proportion: what another sample of `n` test images might have shown (Wilson 1927)."""
    # What scipy.stats.binomtest gives as well; loading scipy.stats takes half a second.
    z, share = special.ndtri((1 + level) / 2), round(successes) / n
    centre, half = share + z**2 / (2 * n), z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return (float(low) if share > 0 else 0.0), (float(high) if share < 1 else 1.0)


def mcnemar(right_a, right_b):
    """Exact two-sided McNemar test on the same images; two bool arrays (n,). Returns p: 1 where the two never differ (McNemar 1947)."""
    return _sign_test(int(np.sum(right_a & ~right_b)), int(np.sum(~right_a & right_b)))


def _sign_test(one, other):
    # Twice the tail of the binomial distribution with p = 1/2. scipy.stats.binomtest says the same.
    return (
        float(min(1.0, 2 * special.bdtr(min(one, other), one + other, 0.5))) if one + other else 1.0
    )


def holm(p_values):
    """p-values corrected for their number by Holm's step-down method, in the order given (Holm 1979)."""
    p_values = np.asarray(p_values, "float64")
    order = np.argsort(p_values, kind="stable")
    raised = np.minimum(1, np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1)))
    corrected = np.empty_like(raised)
    corrected[order] = raised
    return corrected.tolist()


def paired_bootstrap(right_a, right_b, seed=0, samples=2000, level=0.95):
    """Difference of mean accuracies, a - b, with a percentile interval over test images (the same for both) and over each run's seeds.

    right_a (seeds_a, n) and right_b (seeds_b, n): bool. Images on which the seeds of both runs are right and wrong alike need not be told apart, so that
    images drawn anew are a multinomial sample of these few patterns: the same bootstrap as drawing images, and much faster. Returns
    (difference, low, high) as fractions (Efron 1979).
    """
    rng, a, b = np.random.default_rng(seed), np.atleast_2d(right_a), np.atleast_2d(right_b)
    n = a.shape[1]
    packed, counts = np.unique(
        np.packbits(np.concatenate([a, b]), axis=0), axis=1, return_counts=True
    )  # a column a pattern, a bit a seed
    patterns = np.unpackbits(packed, axis=0, count=len(a) + len(b))
    drawn = (
        rng.multinomial(n, counts / n, size=samples) @ patterns.T / n
    )  # accuracy of every seed on each sample of images
    means = [
        (
            accuracies
            * rng.multinomial(len(one), [1 / len(one)] * len(one), size=samples)
            / len(one)
        ).sum(axis=1)
        for one, accuracies in ((a, drawn[:, : len(a)]), (b, drawn[:, len(a) :]))
    ]
    tail = 50 * (1 - level)
    low, high = np.percentile(means[0] - means[1], [tail, 100 - tail])
    return float(a.mean() - b.mean()), float(low), float(high)


def recalls(y_true, y_pred, classes):
    """Share of each class's images that are named correctly, (classes,); NaN for a class without images."""
    counts = np.bincount(y_true, minlength=classes)
    right = np.bincount(np.asarray(y_true)[np.asarray(y_pred) == y_true], minlength=classes)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)


def balanced_accuracy(y_true, y_pred, classes):
    """Mean recall over the classes that occur: the official measure of Kuzushiji-49."""
    return float(np.nanmean(recalls(y_true, y_pred, classes)))


def stratified_bootstrap(y_true, right, samples=2000, seed=0, level=0.95):
    """Balanced accuracy, mean over seeds, with a percentile interval for test images drawn anew within each class (Efron 1979).

    y_true (n,); right (seeds, n) bool, the seeds kept as they are. An image is right in 0 to all of the seeds, so that a class drawn anew is a
    multinomial sample of these few values: the same bootstrap as drawing images, and much faster. Returns (value, low, high) as fractions.
    """
    rng, y_true, share = (
        np.random.default_rng(seed),
        np.asarray(y_true),
        np.atleast_2d(right).mean(axis=0),
    )
    drawn, means = [], []
    for label in np.unique(y_true):
        values, counts = np.unique(share[y_true == label], return_counts=True)
        total = counts.sum()
        drawn.append(rng.multinomial(total, counts / total, size=samples) @ values / total)
        means.append(counts @ values / total)
    tail = 50 * (1 - level)
    low, high = np.percentile(np.mean(drawn, axis=0), [tail, 100 - tail])
    return float(np.mean(means)), float(low), float(high)


def smallest_gap(level=0.05):
    """The fewest test images by which one classifier must beat another for the exact McNemar test to see it at this level, if they differ in no others: 6 at 5 %."""
    return next(count for count in range(1, 100) if 2 * 0.5**count < level)


def cautious_gap(a, b, n):
    """p of the exact McNemar test for accuracies a and b on the same n images, if no image were wrong for both: the largest p that any two lists of answers
    with these accuracies can give (but for accuracies that add up to less than 1).

    What two published figures show by themselves, when the answers are not at hand.
    """
    return _sign_test(round(n * (1 - b)), round(n * (1 - a)))


def without_twins(right, twin):
    """Accuracy on all test images and on those without a twin among the training images (None where none is left).

    right: bool (seeds, n); twin: bool (n,). Returns two fractions, means over seeds.
    """
    return float(np.mean(right)), float(np.mean(right[:, ~twin])) if (~twin).any() else None

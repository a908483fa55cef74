"""How sure a number is: intervals, paired tests, corrections for many claims. Report, notebook 06.

Student's tests compare procedures, over seeds; McNemar's compares two given networks.
"""

import numpy as np
from scipy.special import bdtr, ndtri, stdtr, stdtrit  # all of scipy.stats takes long to load

TEMPERATURES = 0.05, 20  # the least and the largest that temperature scaling tries


def wilson(successes, n):
    """95 % interval (low, high) of a share: what `n` other images might show (Wilson 1927)."""
    share, z = round(successes) / n, ndtri(0.975)
    centre, width = share + z**2 / (2 * n), 1 + z**2 / n
    reach = z * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return float(max(0, (centre - reach) / width)), float(min(1, (centre + reach) / width))


def mcnemar(right_a, right_b):
    """Exact two-sided McNemar test on the same images; two bool arrays (n,). Returns p, 1 where
    the two never differ (McNemar 1947). It compares two given networks, and not the procedures
    that made them, which another seed may order the other way."""
    wins, losses = int(np.sum(right_a & ~right_b)), int(np.sum(~right_a & right_b))
    return float(min(1, 2 * bdtr(min(wins, losses), wins + losses, 0.5)))


def holm(p_values):
    """p-values corrected for their number, step-down, in the order given (Holm 1979)."""
    p_values = np.asarray(p_values, "float64")
    order = np.argsort(p_values, kind="stable")
    raised = np.minimum(1, np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1)))
    return raised[np.argsort(order)].tolist()


def paired(a, b=0.0):
    """Two procedures over paired seeds, a - b, by Student's t (Student 1908).

    a: numbers, one a seed (n,); b: the same seeds' numbers of the other procedure (n,), or one
    constant. Returns a dict: `n`, `difference` (mean of the pairs), `low`, `high` (95 % interval)
    and `p` (two-sided), the last three None for fewer than two seeds. Where all pairs differ by the
    same amount the interval has no width, and p is 0, or 1 for a difference of 0.
    """
    gaps = np.asarray(a, "float64") - np.asarray(b, "float64")
    n, mean = len(gaps), float(gaps.mean())
    if n < 2:
        return {"n": n, "difference": mean, "low": None, "high": None, "p": None}
    error = _error(gaps)
    reach = float(stdtrit(n - 1, 0.975)) * error
    p = 2 * stdtr(n - 1, -abs(mean) / error) if error else mean == 0
    return {"n": n, "difference": mean, "low": mean - reach, "high": mean + reach, "p": float(p)}


def equivalence(a, b, margin):
    """p of two one-sided t tests that paired procedures differ by less than `margin`: a small one
    speaks for equality (Schuirmann 1987). a, b as in `paired`; None for fewer than two seeds."""
    gaps = np.asarray(a, "float64") - np.asarray(b, "float64")
    if len(gaps) < 2:
        return None
    beyond, error = abs(gaps.mean()) - margin, _error(gaps)
    return float(stdtr(len(gaps) - 1, beyond / error) if error else beyond >= 0)


def _error(gaps):
    # Standard error of a mean; 0, and not what rounding leaves, where all are the same.
    spread = 0.0 if np.ptp(gaps) < 1e-12 else float(gaps.std(ddof=1))
    return spread / len(gaps) ** 0.5


def over_images(right_a, right_b):
    """95 % interval (low, high) of a difference of accuracies for other seeds and test images.

    right_a, right_b: bool (n, images), or numbers whose mean over images is what is compared,
    paired seeds in rows, two or more; one row, or one number, for a method without seeds. Student's
    interval over seeds and the normal one over images, of the mean of the seeds, are joined by
    adding the squares of their half-widths (Zou and Donner 2008), so that it is never narrower than
    the first. Chance that is of one seed and one image counts in both, which makes it a little
    wide.
    """
    gaps = np.asarray(right_a, "float64") - np.asarray(right_b, "float64")
    seeds = stdtrit(len(gaps) - 1, 0.975) * _error(gaps.mean(axis=1))
    images = ndtri(0.975) * _error(gaps.mean(axis=0))
    mean, reach = float(gaps.mean()), float(np.hypot(seeds, images))
    return mean - reach, mean + reach


def next_training(values):
    """95 % prediction interval (low, high) for one more training, judged on the same images, from
    those of n seeds, by Student's t: what a single figure printed elsewhere is compared with. None
    for fewer than three, which hardly know their own spread."""
    n = len(values)
    if n < 3:
        return None
    reach = stdtrit(n - 1, 0.975) * np.std(values, ddof=1) * (1 + 1 / n) ** 0.5
    return float(np.mean(values) - reach), float(np.mean(values) + reach)


def power_law(images, errors, at):
    """Errors as a power of the number of images, c n^-b: a straight line on logarithmic axes.

    images, errors: (m,), one a training, three or more, of two sizes or more; at: (k,) other sizes.
    Returns -b, and for single trainings at these sizes the expected error and the two ends of its
    95 % prediction interval, (k,) each: least squares, Student's t (Hestness et al. 2017 for the
    law). Every training counts as independent, also those of one seed at several sizes.
    """
    x, y, far = np.log(images), np.log(errors), np.log(at)
    slope, offset = np.polyfit(x, y, 1)
    free = len(x) - 2
    spread = np.sqrt(np.sum((y - slope * x - offset) ** 2) / free)
    lever = 1 / len(x) + (far - x.mean()) ** 2 / np.sum((x - x.mean()) ** 2)
    reach = stdtrit(free, 0.975) * spread * np.sqrt(1 + lever)
    centre = slope * far + offset
    return float(slope), *np.exp([centre, centre - reach, centre + reach])


def recalls(y_true, y_pred, classes):
    """Share of each class's images that are named correctly, (classes,); NaN for one without."""
    counts = np.bincount(y_true, minlength=classes)
    right = np.bincount(np.asarray(y_true)[np.asarray(y_pred) == y_true], minlength=classes)
    return np.where(counts > 0, right / np.maximum(counts, 1), np.nan)


def balanced_accuracy(y_true, y_pred, classes):
    """Mean recall over the classes that occur: the official measure of Kuzushiji-49."""
    return float(np.nanmean(recalls(y_true, y_pred, classes)))


def balanced_interval(y_true, right):
    """Balanced accuracy, mean over seeds, with its 95 % interval for other test images, as many of
    each class: (value, low, high) as fractions, the normal interval of a stratified sample (Cochran
    1977).

    y_true (n,); right (seeds, n) bool, the seeds kept as they are.
    """
    share = np.atleast_2d(right).mean(axis=0)
    _, place, counts = np.unique(y_true, return_inverse=True, return_counts=True)
    means, squares = (np.bincount(place, values) / counts for values in (share, share**2))
    reach = ndtri(0.975) * np.sqrt(((squares - means**2) / counts).sum()) / len(counts)
    value = float(means.mean())
    return value, max(0.0, float(value - reach)), min(1.0, float(value + reach))

"""The arithmetic of the benchmark: two things measured in turn, their ratio, its median and spread,
and whether the goal is met."""

import statistics
import subprocess
import time

REPEATS, REPEATS_OF_LONG, LONG = (
    5,
    3,
    60,
)  # a repeat, both sides together, counts as long from this many seconds on


def alternate(numerator, denominator, say=print, repeats=None):
    """Call two measurements in turn, `repeats` times; where that is not given five times, or three
    where the first pair took a minute or more. Returns their results in pairs.

    Every second pair begins with the other side, so that neither always finds the machine as the
    other has left it.
    """
    pairs, wanted = [], repeats or REPEATS
    while len(pairs) < wanted:
        started = time.perf_counter()
        if len(pairs) % 2:
            second = denominator()
            first = numerator()
        else:
            first = numerator()
            second = denominator()
        pairs.append((first, second))
        if not repeats and len(pairs) == 1 and time.perf_counter() - started >= LONG:
            wanted = REPEATS_OF_LONG
        ratio = f"{first:,.4g} over {second:,.4g}, ratio {first / second:.3g}"
        say(f"    {len(pairs)}/{wanted}: {ratio}")
    return pairs


def ratios(pairs):
    """Numerator over denominator of each pair."""
    return [first / second for first, second in pairs]


def geometric_means(series):
    """The geometric mean of several networks' ratios, one for each repeat: [[a1, a2], [b1, b2]]
    gives [sqrt(a1 b1), sqrt(a2 b2)]."""
    return [statistics.geometric_mean(one) for one in zip(*series, strict=True)]


def met(entry):
    """Whether the median of a row reaches its goal."""
    ratio, goal = entry["ratio"], entry["goal"]
    return ratio >= goal if entry["better"] == "higher" else ratio <= goal


def row(found, goal, better, unit):
    """An entry of report/bench.json from the ratios of all repeats: their median, the smallest and
    the largest."""
    if better not in ("higher", "lower"):
        raise ValueError(f"better is {better!r}; it must be higher or lower")
    ratio, low, high = (
        float(f"{value:.4g}") for value in (statistics.median(found), min(found), max(found))
    )
    return {"ratio": ratio, "low": low, "high": high, "goal": goal, "better": better, "unit": unit}


def command(words, folder, environment):
    """Run a command to its end in a folder; returns wall seconds and what it printed. RuntimeError
    with the end of what it said if it fails."""
    started = time.perf_counter()
    done = subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    took = time.perf_counter() - started
    if done.returncode:
        said = (done.stderr or done.stdout)[-1000:]
        told = " ".join(map(str, words))[:200]
        raise RuntimeError(f"{told} ended with status {done.returncode}: {said}")
    return took, done.stdout

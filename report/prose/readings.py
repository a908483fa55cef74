"""What is said of one run, worded by its numbers, and of the runs in the report's appendix."""

from statistics import mean

import numpy as np

from helpers import runs, statistics
from helpers.results import mean_std
from helpers.show import Prose, plain
from helpers.show.words import counted, share
from helpers.store import paths
from report import bench

_TRANSFORMATIONS = {
    "flip_horizontal": "flips from left to right",
    "flip_vertical": "flips upside down",
    "rotation": "rotations",
    "shift": "shifts",
    "zoom": "zooms",
}


def generalisation_reading(record):
    """One paragraph that reads the generalisation table, whatever it says."""
    extra = record["extra"]
    plain, chance, neighbour = (
        mean_std(record, "test_accuracy")[0],
        extra["chance"],
        extra["neighbour"]["plain"],
    )
    transformed = mean(seed["transformed"]["test"] for seed in record["seeds"])
    lost = (
        f"On transformed test images the network names {100 * transformed:.1f} % correctly, on plain ones {100 * plain:.1f} %; "
        f"the commonest class alone makes up {100 * chance:.1f} %."
    )
    verdict = (
        "It has learnt these views of the objects rather than the objects."
        if plain - transformed > 0.1
        else "What it has learnt holds for other views as well."
        if transformed > chance + 0.2
        else "It has learnt little that holds for either."
    )
    single = {
        name: mean(seed["single"][name] for seed in record["seeds"])
        for name in record["seeds"][0].get("single", {})
    }
    if single:
        worst, mildest = min(single, key=single.get), max(single, key=single.get)
        verdict += f" One by one, {_TRANSFORMATIONS[worst]} leave {100 * single[worst]:.1f} %, the least, and {_TRANSFORMATIONS[mildest]} {100 * single[mildest]:.1f} %, the most."
    reported = (
        {}
        if record["dataset"]["kind"] == "stand-in"
        else runs.entry(record["run"]).get("reported", {}).get("transformed", {})
    )
    if reported:
        lost += f" (The course report gives {' and '.join(f'{100 * reported[part]:.2f} % for {word} images' for part, word in (('train', 'training'), ('test', 'test')))}, transformed in its own way.)"
    return f"{lost} {verdict} On plain images the nearest neighbour names {100 * neighbour:.1f} %."


def late_reading(record):
    """One sentence: how far the last epoch's accuracy on validation images is one draw from several."""
    late = np.array([seed["history"]["val_accuracy"][-5:] for seed in record["seeds"]])
    return (
        f"Over its last {late.shape[1]} epochs the accuracy on validation images moves between {100 * late.min():.1f} and {100 * late.max():.1f} %: the mean over seeds is {100 * late[:, -1].mean():.1f} % after the last "
        f"epoch and {100 * late.mean():.1f} % over these."
    )


def trials_reading(record):
    """One paragraph that compares random search with Hyperband at the same number of epochs, seed by seed, whatever came out."""
    found = [
        {
            kind: [trial for trial in seed["trials"] if trial["search"] == kind]
            for kind in ("random search", "Hyperband")
        }
        for seed in record["seeds"]
    ]
    spent = {
        kind: [sum(trial["epochs"] for trial in one[kind]) for one in found] for kind in found[0]
    }
    budget, n = min(map(min, spent.values())), len(found)
    tops = {kind: np.array([_best_within(budget, one[kind]) for one in found]) for kind in spent}
    epochs = {
        kind: f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        for kind, counts in spent.items()
    }
    both = sum(
        _settings(trial) in map(_settings, one["Hyperband"])
        for one in found
        for trial in one["random search"]
    )
    tried, test = (
        counted(sum(len(one["random search"]) for one in found), "setting"),
        share(record, "test_accuracy"),
    )
    return (
        f"Random search spent {epochs['random search']} epochs and one sweep of Hyperband {epochs['Hyperband']}; of {tried} that random "
        f"search tried, Hyperband, which draws from the same seeds, tried {both} as well. Within the first {budget} epochs of each, the best validation accuracy was "
        f"{100 * tops['random search'].mean():.2f} % by random search and {100 * tops['Hyperband'].mean():.2f} % by Hyperband{f' (means of {n} searches of each kind)' if n > 1 else ''}: "
        f"{_searches_compared(100 * (tops['Hyperband'] - tops['random search']))} On the test images the best network of the random search reaches {test}."
    )


def _searches_compared(gaps):
    """What pairs of searches say: `gaps` in points, positive where Hyperband found the better network."""
    numbers, ahead = (
        statistics.paired(gaps),
        f"Hyperband ahead in {np.sum(gaps > 0)} of {len(gaps)}",
    )
    if numbers["low"] is None:
        return f"a difference of {gaps.mean():+.2f} points. One search each says little about a method."
    ends = f"{numbers['low']:+.2f}, {numbers['high']:+.2f}"
    return f"a difference of {gaps.mean():+.2f} points [{ends}], with {ahead} pairs."


def _settings(trial):
    """What a trial tried; the units of layers that its network does not have were drawn and not used."""
    values = trial["values"]
    return [values[name] for name in ("activation", "initializer", "layers", "learning_rate")] + [
        values[f"units_{number}"] for number in range(1, values["layers"] + 1)
    ]


def _best_within(budget, trials):
    """The best score of the trials that end within a number of epochs."""
    spent, top = 0, 0.0
    for trial in trials:
        spent += trial["epochs"]
        top = max(top, trial["score"]) if spent <= budget else top
    return top


def confused_reading(record, predictions, n=3):
    """One sentence on the pairs of classes that cost most, from the test predictions of all seeds."""
    names = record["dataset"]["class_names"]
    pairs = len(names) * predictions["y_true"].astype(int) + predictions["y_pred"]
    counts = np.bincount(pairs.ravel(), minlength=len(names) ** 2).reshape(2 * [len(names)])
    both = np.triu(counts + counts.T, 1)
    wrong = both.sum()
    if not wrong:
        return "Not a single test image is classified wrongly."
    worst = np.argsort(-both, axis=None, kind="stable")[:n]
    pairs = ", ".join(
        f"{plain(names[a])} and {plain(names[b])}"
        for a, b in zip(*np.unravel_index(worst, both.shape))
    )
    return f"Of all mistakes {100 * both.flat[worst].sum() / wrong:.0f} % lie in only {n} of {len(names) * (len(names) - 1) // 2:,} pairs of classes: {pairs}."


def runs_reading(records):
    """What is particular about each run."""
    return Prose(
        "\n".join(
            f"- `{run}`, {plain(record['dataset']['label'])}. {plain(runs.entry(run)['about'])}"
            for run, record in records.items()
        )
    )


def bench_reading(long=False, folder=paths.REPORT_SOURCE):
    """One sentence: how many goals are met, and which are not."""
    measured = bench.ratios(long, folder=folder)
    if not measured:
        return Prose("")
    missed = [f"`{name}`" for name, entry in measured.items() if not bench.met(entry)]
    told = (
        f"Of {counted(len(measured), 'goal')} {len(measured) - len(missed)} are met; not {', '.join(missed)}, of which `benchmarks/NOTES.md` says what bounds them"
        if missed
        else "Every goal is met"
    )
    what = (
        "@tbl-bench-long says what a shorter schedule and another search save"
        if long
        else "@tbl-bench says what the code saves of a user's time"
    )
    return Prose(f"{what}. {told}.")

"""Tables of a run and the words for its numbers, the same in the notebooks and in the report."""

from statistics import mean, stdev

import numpy as np
import pandas as pd

from helpers import runs
from helpers.results import mean_std
from helpers.show.exhibits import Table, plain


def share(record, metric, digits=2):
    """An accuracy in words: "98.21 %", or "98.21 ± 0.05 %" over several seeds (mean and sample standard deviation)."""
    mean, deviation = mean_std(record, metric)
    return (
        f"{100 * mean:.{digits}f} %"
        if deviation is None
        else f"{100 * mean:.{digits}f} ± {100 * deviation:.{digits}f} %"
    )


def value(record, metric, digits=4):
    """A loss or another number over seeds: ".0694" as "0.0694", with its deviation if there are several."""
    mean, deviation = mean_std(record, metric)
    return (
        f"{mean:.{digits}f}" if deviation is None else f"{mean:.{digits}f} ± {deviation:.{digits}f}"
    )


def counted(number, noun):
    """A number with its noun: "1 label", "2,000 labels", "no labels"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s") if number else f"no {noun}s"


def layers(record):
    """A record's network, layer by layer."""
    return _layers(
        record["layers"],
        f"{record['run']}: layer by layer, for one image of {plain(record['dataset']['label'])}.",
        f"tbl-{record['run']}-layers",
    )


def network(model):
    """A network, a row a layer: output shape, parameters, multiply-accumulates for one image."""
    from helpers.inspection import layer_table

    return _layers(layer_table(model), "The network, layer by layer, for one image.", "tbl-network")


def _layers(table, caption, label):
    rows = [
        {
            "Layer": row["layer"],
            "Output": row["shape"],
            "Parameters": f"{row['parameters']:,}",
            "Multiplications": f"{row['macs']:,}",
        }
        for row in table
    ]
    total = {
        "Layer": "all",
        "Output": "",
        "Parameters": f"{sum(row['parameters'] for row in table):,}",
        "Multiplications": f"{sum(row['macs'] for row in table):,}",
    }
    return Table(pd.DataFrame([*rows, total]), caption, label, align="llrr")


def metrics(record):
    """Accuracy and loss on the three parts of the data."""
    rows = [
        {
            "Images": part,
            "Number": f"{record['dataset'][part]:,}",
            "Accuracy": share(record, f"{part}_accuracy"),
            "Loss": value(record, f"{part}_loss"),
        }
        for part in ("train", "validation", "test")
    ]
    seeds = len(record["seeds"])
    note = f"Mean and standard deviation over {seeds} seeds." if seeds > 1 else "One seed."
    return Table(
        pd.DataFrame(rows),
        f"{record['run']} on {plain(record['dataset']['label'])}: the final weights on images without augmentation.",
        f"tbl-{record['run']}-metrics",
        align="lrrr",
        note=note,
    )


def reading(record):
    """One paragraph that reads a run's numbers, whatever they are."""
    train, validation, test = (
        mean_std(record, f"{part}_accuracy")[0] for part in ("train", "validation", "test")
    )
    chance = 1 / record["dataset"]["classes"]
    gap = 100 * (train - validation)
    losses = record["seeds"][0]["history"]["val_loss"]
    best = 1 + min(range(len(losses)), key=losses.__getitem__)
    if test < 1.2 * chance:
        return (
            f"The network names {100 * test:.2f} % of the {record['dataset']['test']:,} test images correctly, and guessing would name {100 * chance:.1f} %: it has "
            "learnt nothing yet that holds for new images. More images or more epochs are needed before any other figure here means something."
        )
    fit = (
        "it fits its training images better than new ones, and some of what it learnt is peculiar to them"
        if gap > 1
        else "it does as well on new images as on those it learnt from, so that overfitting is not what limits it"
        if gap > -1
        else "it does better on validation images than on those it learnt from, which happens where these are few or hard"
    )
    still = (
        "the last epoch, so that longer training may help"
        if best == len(losses)
        else f"epoch {best} of {len(losses)}"
    )
    return (
        f"The network names {100 * test:.2f} % of the {record['dataset']['test']:,} test images correctly; guessing would name {100 * chance:.1f} %. Between "
        f"training and validation images lie {gap:.1f} percentage points: {fit}. The validation loss of the first seed was lowest after {still}."
    )


def generalisation(record):
    """Accuracy on plain and on transformed images of each part, beside chance and the nearest neighbour."""
    extra, seeds = record["extra"], record["seeds"]
    rows = [
        {
            "Images": part,
            "Plain": _percent([seed[f"{part}_accuracy"] for seed in seeds]),
            "Transformed": _percent([seed["transformed"][part] for seed in seeds]),
        }
        for part in ("train", "validation", "test")
    ]
    neighbour, chance = extra["neighbour"], _percent(extra["chance"])
    rows.append(
        {
            "Images": "test, nearest neighbour at 32 x 32 pixels or fewer",
            "Plain": _percent(neighbour["plain"]),
            "Transformed": _percent(neighbour["transformed"]),
        }
    )
    rows.append(
        {"Images": "test, always the commonest class", "Plain": chance, "Transformed": chance}
    )
    return Table(
        pd.DataFrame(rows),
        f"{record['run']}: accuracy on images as they are and on transformed ones ({extra['judge']}), {plain(record['dataset']['label'])}.",
        f"tbl-{record['run']}-generalisation",
        align="lrr",
    )


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
    beaten = "does better than" if neighbour > plain else "does no better than"
    single = {
        name: mean(seed["single"][name] for seed in record["seeds"])
        for name in record["seeds"][0].get("single", {})
    }
    if single:
        worst, mildest = min(single, key=single.get), max(single, key=single.get)
        verdict += f" One by one, {_TRANSFORMATIONS[worst]} cost it most: {100 * single[worst]:.1f} % are left, and {100 * single[mildest]:.1f} % under {_TRANSFORMATIONS[mildest]}, which cost least."
    reported = (
        {}
        if record["dataset"]["kind"] == "stand-in"
        else runs.entry(record["run"]).get("reported", {}).get("transformed", {})
    )
    if reported:
        lost += f" (The course report gives {' and '.join(f'{100 * reported[part]:.2f} % for {word} images' for part, word in (('train', 'training'), ('test', 'test')))}, transformed in its own way.)"
    return f"{lost} {verdict} On plain images the nearest neighbour, at {100 * neighbour:.1f} %, {beaten} the network."


def _percent(values):
    values = values if isinstance(values, list) else [values]
    deviation = f" ± {100 * stdev(values):.1f}" if len(values) > 1 else ""
    return f"{100 * mean(values):.1f}{deviation} %"


def trials(record):
    """The trials of the first seed's searches, best first: those whose network the record describes layer by layer."""
    rows, seed = [], record["seeds"][0]
    for trial in sorted(seed["trials"], key=lambda trial: -trial["score"]):
        values = trial["values"]
        units = [values[f"units_{number}"] for number in range(1, values["layers"] + 1)]
        rows.append(
            {
                "Search": trial["search"],
                "Units": ", ".join(map(str, units)),
                "Activation": values["activation"],
                "Initialiser": values["initializer"],
                "Rate": f"{values['learning_rate']:.1e}",
                "Epochs": f"{trial['start']} to {trial['start'] + trial['epochs']}"
                if trial["start"]
                else str(trial["epochs"]),
                "Accuracy": f"{100 * trial['score']:.2f} %",
            }
        )
    note = "Accuracy is the best on validation images within the trial. Hyperband continues its best trials; such a trial is a row of its own."
    which = (
        f" of seed {seed['seed']}, one of {len(record['seeds'])}"
        if len(record["seeds"]) > 1
        else ""
    )
    return Table(
        pd.DataFrame(rows),
        f"{record['run']}: the trials{which} on {plain(record['dataset']['label'])}, best first.",
        f"tbl-{record['run']}-trials",
        align="llllrrr",
        note=note,
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
    gap, better = gaps.mean(), "Hyperband" if gaps.mean() > 0 else "random search"
    if len(gaps) == 1:
        outcome = (
            "they found equally good networks"
            if abs(gap) < 0.05
            else f"{better} found the better network by {abs(gap):.2f} points"
        )
        return f"{outcome}. One search each says little about which method is better in general."
    from scipy.special import stdtrit

    reach = (
        stdtrit(len(gaps) - 1, 0.975) * gaps.std(ddof=1) / len(gaps) ** 0.5
    )  # Student's interval of paired differences
    told = f"a difference of {gap:+.2f} points [{gap - reach:+.2f}, {gap + reach:+.2f}], with Hyperband ahead in {np.sum(gaps > 0)} of {len(gaps)} pairs"
    decided = (
        len(gaps) > 2 and reach > 0 and abs(gap) > reach
    )  # two pairs, or equal differences, tell nothing of their spread
    return (
        f"{told}. {better[0].upper() + better[1:]} is the better search here."
        if decided
        else f"{told}. So few searches do not decide which method is better here."
    )


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
    from helpers.show.evaluation import confusion_counts

    names = record["dataset"]["class_names"]
    counts = confusion_counts(predictions["y_true"], predictions["y_pred"], len(names))
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

"""The words, tables and figure for what `protocol` measures: sentences that follow from a record and change with it."""

import functools
from statistics import mean

import pandas as pd

from helpers import results, runs
from helpers.show import Table
from helpers.show.words import counted, data_named, share
from report import claims, courses
from report.courses import linked
from report.prose import protocol

KINDS = {
    "averaged": "fits the average",
    "final": "fits the final weights",
    "either": "fits either",
    "between": "lies between the two",
    "neither": "fits neither",
}


def swing_reading(record):
    """One paragraph: how far the accuracy moves from epoch to epoch, from seed to seed, and for other test images."""
    found, n = protocol.swing(record), len(record["seeds"])
    if found["epochs"] is None:
        return "With so few epochs nothing can be said about the swing from one to the next."
    text = (
        f"From epoch {found['first']} to {found['last']} the accuracy on the test images moves between {_percent(found['low'])} and {_percent(found['high'])}, with a standard deviation of "
        f"{_points(found['epochs'])} points from epoch to epoch"
    )
    if found["seeds"] is None:
        text += ". How far the seeds lie apart, one seed cannot say"
    else:
        more = (
            "Which epoch happens to be the last matters more than the seed"
            if found["epochs"] > found["seeds"]
            else "The seed matters more than which epoch happens to be the last"
        )
        text += f"; the last epochs of the {n} seeds have one of {_points(found['seeds'])} points. {more}"
    return text + "."


def sample_reading(record):
    """Two sentences: what other test images would do, beside what another training does."""
    return (
        f"Another {record['dataset']['test']:,} test images might move an accuracy by {_points(protocol.swing(record)['sample'])} points (half the 95 % interval). A second training that is judged on the "
        "same images, as ours is beside the report's, does not feel that: only epoch and seed set the two apart."
    )


def standing_reading(record):
    """One or two sentences: where the reported test accuracy lies among the later epochs of all seeds."""
    standing, found = protocol.standing(record), protocol.swing(record)
    if standing is None:
        return "In this edition the run is no match for the reported accuracy: other images, or fewer of them and fewer epochs."
    reported, later = (
        _percent(record["reported"]["test_accuracy"]),
        f"epochs {found['first']} to {found['last']}",
    )
    return {
        "within": f"The reported {reported} lies among the accuracies of {later}: this training passes through it, and a single reported number is one draw from them.",
        "above": f"The reported {reported} lies above every accuracy of {later} (the highest is {_percent(found['high'])}): neither the number of images nor the choice of an epoch accounts for it here.",
        "below": f"The reported {reported} lies below every accuracy of {later} (the lowest is {_percent(found['low'])}): this training does better than the report's, whichever of these epochs is taken.",
    }[standing]


def selection_reading(record):
    """One paragraph: what choosing the best epoch on the test images would have flattered."""
    found = protocol.chosen(record)
    if found["promised"] == 0:
        return "The last epoch did best, or was the only one: choosing on test images would have changed nothing."
    told = (
        f"The epoch that does best on a random half of the test images leads the last epoch there by {_points(found['promised'])} points, and on the other half by {_points(found['kept'])} points: "
        f"choosing flatters by {_points(found['optimism'])} points."
    )
    if found["optimism"] < protocol.SLIGHT:
        verdict = "That is next to nothing."
    elif found["kept"] <= 0:
        verdict = "All of what the choice promises is luck."
    elif found["kept"] < found["promised"] / 2:
        verdict = "Most of what the choice promises is luck."
    else:
        verdict = (
            "Most of the lead is real, for the last epoch is not a good one; the rest is luck."
        )
    return f"{told} {verdict}"


def training_reading(record):
    """One paragraph: which of the two training figures the report can have printed."""
    (accuracy, final_accuracy), (loss, final_loss) = (
        protocol.training_figures(record, metric) for metric in ("accuracy", "loss")
    )
    told = (
        f"Averaged over the last epoch, while the network learns, the training accuracy is {_percent(mean(accuracy))} and the loss {mean(loss):.4f}; the final weights, on the same images, have "
        f"{_percent(mean(final_accuracy))} and {mean(final_loss):.4f}."
    )
    reported = record["reported"]
    if not results.comparable(record) or not {"train_accuracy", "train_loss"} <= set(reported):
        return told
    one, other = (protocol.kind(record, metric) for metric in ("accuracy", "loss"))
    fit = (
        f"accuracy and loss both {KINDS[one].replace('fits', 'fit').replace('lies', 'lie')}"
        if one == other
        else f"the accuracy {KINDS[one]}, the loss {KINDS[other]}"
    )
    open_ones = {"between", "neither"}
    end = (
        ""
        if one == other and one in open_ones
        else ": the two do not point to the same measurement"
        if {one, other} & open_ones or {one, other} == {"averaged", "final"}
        else ": they can come from the same measurement"
    )
    return f"{told} The report gives {_percent(reported['train_accuracy'])} and {reported['train_loss']:.5f}; {fit}{end}."


def impossible_reading(records):
    """A paragraph on each reported pair of accuracy and loss, of any report and any part of the images, that no measurement can give; "" where there is none. `records`: those of
    the reports and of the experiments, which say what loss goes with that accuracy.
    """
    pairs = {}
    for run in courses.of_all(dict.fromkeys(runs.select())):
        reported = runs.entry(run).get("reported", {})
        for part in protocol.impossible(reported):
            pairs[run, part] = (reported[f"{part}_accuracy"], reported[f"{part}_loss"])
    return "\n\n".join(
        _impossible(run, part, *pair, _trained_alike(run, records) if part == "train" else [])
        for (run, part), pair in pairs.items()
    )


def _trained_alike(run, records):
    # The run and the experiments with the same reported training figures, on images that may be compared.
    pair = ("train_accuracy", "train_loss")
    mine = [runs.entry(run)["reported"][name] for name in pair]
    return [
        record
        for record in records.values()
        if [record["reported"].get(name) for name in pair] == mine and results.comparable(record)
    ]


def _impossible(run, part, accuracy, loss, records):
    word = {"train": "training"}.get(part, part)
    told = (
        f"The report gives `{run}` a {word} accuracy of {_percent(accuracy)} with a {word} loss of {loss:.5f}, which cannot belong together. Each of the {_percent(1 - accuracy)} "
        f"of images that are wrong costs at least $\\log 2$, because another class is at least as probable, so that the mean loss is at least {protocol.least_loss(accuracy):.4f}."
    )
    if 10 * loss >= protocol.least_loss(accuracy):
        told += " A loss ten times as large would be possible: the decimal point may have slipped."
    passing = [record for record in records if protocol.loss_beside(record)]
    if not passing:
        return told
    beside = [protocol.loss_beside(record) for record in passing]
    names = " and ".join(f"`{record['run']}`" for record in passing)
    return f"{told} Where {names} passes through that accuracy in training, the loss is {' and '.join(f'{one:.4f}' for one in beside)}."


def difference_reading(record, beside, profile):
    """One sentence that sets a run against the one beside it; `beside` is None where that has no record."""
    name = runs.entry(record["run"])["beside"]
    if not beside:
        return f"The run `{name}`, beside which this one stands, has no record in this edition yet."
    if record["parameters"]["epochs"] != beside["parameters"]["epochs"]:
        return f"The run `{name}` learnt for another number of epochs in this edition: the two are not compared."
    numbers = claims.compare(record, beside, functools.partial(claims.rightness, profile))
    if not numbers["n"]:
        return f"The run `{name}` saw other images in this edition: the two are not compared."
    return (
        f"With {_change(record, beside)} its test accuracy differs from that of `{name}` by {claims.interval(numbers)} points (mean over {counted(numbers['n'], 'seed')} that both have; 95 % interval for other seeds "
        "and test images)."
    )


def protocol_table(records, profile):
    """The experiments: what changed, and test accuracy as reported, of the last epoch, over the later epochs, and of the best one."""
    rows = []
    for run, record in records.items():
        found, reported = protocol.swing(record), record["reported"].get("test_accuracy")
        shown = (
            "-"
            if reported is None or record["dataset"]["kind"] == "stand-in"
            else _percent(reported)
        )
        rows.append(
            {
                "Run": linked(run, profile),
                "Images": f"{record['dataset']['train']:,}",
                "Reported": shown,
                "Last epoch": share(record, "test_accuracy"),
                "Later epochs": f"{100 * found['low']:.2f} to {100 * found['high']:.2f} %",
                "Best epoch": _percent(found["mean"] + protocol.chosen(record)["lead"]),
                "n": str(len(record["seeds"])),
                "Reported lies": protocol.standing(record) or "not compared",
            }
        )
    columns = [
        "Run",
        "Images",
        "Reported",
        "Last epoch",
        "Later epochs",
        "Best epoch",
        "n",
        "Reported lies",
    ]
    note = (
        "Accuracy on the test images. Last epoch: mean and standard deviation over n seeds. Later epochs: lowest and highest of any seed in the second half of the training. Best epoch: chosen on "
        "the test images, mean over seeds; shown for what it would flatter. Reported lies *within*, *above* or *below* the later epochs. "
        + data_named(records.values())
    )
    if not rows:
        note = "None of these experiments has a record in this edition."
    return Table(
        pd.DataFrame(rows, columns=columns),
        "Trained as the course report did: experiments beside the report's runs.",
        "tbl-course-protocol",
        align="lrrrrrrl",
        note=note,
    )


def _change(record, beside):
    images, rate = (
        record["dataset"]["train"] - beside["dataset"]["train"],
        record["parameters"].get("dropout", -1.0),
    )
    if images:
        return f"{abs(images):,} {'more' if images > 0 else 'fewer'} training images"
    return f"a dropout of {rate:g}" if rate >= 0 else "nothing else changed"


def _percent(fraction):
    return f"{100 * fraction:.2f} %"


def _points(fraction):
    return f"{100 * fraction:.2f}".replace("-", "−")

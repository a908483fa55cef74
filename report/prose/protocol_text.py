"""The words, tables and figure for what `protocol` measures: sentences that follow from a record and change with it."""

from statistics import mean

import pandas as pd

from helpers import results, runs
from helpers import show as plots
from helpers.show import figures
from helpers.show.exhibits import Prose, Table
from helpers.show.tables import share, value
from report import overview
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
    return f"{told} {verdict} {_reach(record)}".strip()


def _reach(record):
    # Would the choice of an epoch, on all test images, have been enough for the reported accuracy?
    if protocol.standing(record) is None:
        return ""
    gap = record["reported"]["test_accuracy"] - protocol.swing(record)["mean"]
    if gap <= 0:
        return "The reported accuracy is not above that of our last epochs, so that there is no sign of such a choice."
    enough = protocol.chosen(record)["lead"] >= gap
    return (
        f"The reported accuracy is {_points(gap)} points above the mean of our last epochs; the best epoch on all test images is {_points(protocol.chosen(record)['lead'])} above it. "
        + (
            "Such a choice would account for the gap, and nothing shows whether it was made."
            if enough
            else "Even such a choice would not account for the gap."
        )
    )


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
    """A paragraph on each reported pair of training accuracy and loss that no measurement can give, with what goes with that accuracy in some of the runs; "" where there is none."""
    pairs = {}
    for record in records.values():
        reported = record["reported"]
        if (
            record["dataset"]["kind"] != "stand-in"
            and "train_loss" in reported
            and reported["train_loss"] < protocol.least_loss(reported["train_accuracy"])
        ):
            pairs.setdefault((reported["train_accuracy"], reported["train_loss"]), []).append(
                record
            )
    return "\n\n".join(_impossible(*pair, same) for pair, same in pairs.items())


def _impossible(accuracy, loss, records):
    told = (
        f"One pair of reported figures cannot belong together: `{records[0]['run']}` gives a training accuracy of {_percent(accuracy)} with a training loss of {loss:.5f}. Each of the {_percent(1 - accuracy)} "
        f"of images that are wrong costs at least $\\log 2$, because another class is at least as probable, so that the mean loss is at least {protocol.least_loss(accuracy):.4f}."
    )
    passing = [
        record for record in records if results.comparable(record) and protocol.loss_beside(record)
    ]
    if not passing:
        return told + (
            " None of our trainings passes through that accuracy."
            if any(map(results.comparable, records))
            else ""
        )
    beside = [protocol.loss_beside(record) for record in passing]
    word = (
        "about ten times the printed one: a decimal point in the wrong place would explain it"
        if any(map(protocol.slipped, passing))
        else f"{mean(beside) / loss:.1f} times the printed one, which no slip of a decimal point explains"
    )
    names = " and ".join(f"`{record['run']}`" for record in passing)
    return f"{told} Where {names} passes through that accuracy in training, the loss is {' and '.join(f'{one:.4f}' for one in beside)}, {word}."


def difference_reading(one, other):
    """One sentence that compares a run with the one beside it, (record, predictions) each; `other` None where that has no record."""
    record, beside = one[0], other and other[0]
    name = runs.entry(record["run"])["beside"]
    if not other:
        return f"The run `{name}`, beside which this one stands, has no record in this edition yet."
    found = protocol.compare(one, other)
    if not found:
        return (
            f"The run `{name}` learnt from {beside['dataset']['train']:,} images for {beside['parameters']['epochs']} epochs in this edition, this one from {record['dataset']['train']:,} "
            f"for {record['parameters']['epochs']}: the two are not compared."
        )
    word = (
        "better than"
        if found["low"] > 0
        else "worse than"
        if found["high"] < 0
        else "not told apart from"
    )
    return (
        f"With {_change(record, beside)} the run is {word} `{name}`: {100 * found['difference']:+.2f} points of test accuracy, 95 % interval {100 * found['low']:+.2f} to {100 * found['high']:+.2f} "
        "over test images and seeds."
    )


def watched(record):
    """The figure: test accuracy epoch by epoch, and what choosing an epoch by it promises and keeps."""
    caption = (
        f"{record['run']}: left, accuracy on the test images after every epoch (the earliest may lie below the frame), beside the reported one; the dot is the last epoch. Right, by how much the "
        "epoch that does best on a random half of the test images leads the last epoch, on that half and on the other; thin lines span 95\u00a0% of the halves."
    )
    return figures.show(
        figures.stamp(record["dataset"]),
        record["run"],
        record["parameters"]["profile"],
        "watched",
        caption,
        plots.watched,
        record,
    )


def training_table(records):
    """Training accuracy and loss of some runs: averaged while learning, of the final weights, and as reported."""
    rows = []
    for run, record in records.items():
        (accuracy, _), (loss, _) = (
            protocol.training_figures(record, metric) for metric in ("accuracy", "loss")
        )
        rows += [
            {
                "Run": Prose(f"`{run}`"),
                "Figure": "averaged over the last epoch",
                "Accuracy": _percent(mean(accuracy)),
                "Loss": f"{mean(loss):.5f}",
            },
            {
                "Run": "",
                "Figure": "final weights",
                "Accuracy": share(record, "train_accuracy"),
                "Loss": value(record, "train_loss", 5),
            },
        ]
        if record["dataset"]["kind"] != "stand-in" and "train_loss" in record["reported"]:
            rows.append(
                {
                    "Run": "",
                    "Figure": "reported",
                    "Accuracy": _percent(record["reported"]["train_accuracy"]),
                    "Loss": f"{record['reported']['train_loss']:.5f}",
                }
            )
    return Table(
        pd.DataFrame(rows, columns=["Run", "Figure", "Accuracy", "Loss"]),
        "Training accuracy and loss, measured in two ways, and as reported.",
        "tbl-course-training",
        align="llrr",
        note=overview.labels(records),
    )


def table(records, profile):
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
                "Run": overview.name(run, profile),
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
        + overview.labels(records)
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
    return f"a dropout of {rate:g}" if rate >= 0 else "its own protocol"


def _percent(fraction):
    return f"{100 * fraction:.2f} %"


def _points(fraction):
    return f"{100 * fraction:.2f}".replace("-", "−")

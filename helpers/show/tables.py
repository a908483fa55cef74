"""Tables of a run, frames with column names for people: in all notebooks and in the report."""

import pandas as pd

from helpers import runs, statistics
from helpers.results import load, mean_std, median
from helpers.show.exhibits import Prose, Table, plain, slug
from helpers.show.words import data_named, percent, share, spread, value


def _table(record, name, frame, caption, note=None, align=None):
    run, images = runs.title(record["run"]), plain(record["dataset"]["label"])
    return Table(
        frame, f"{run} on {images}: {caption}", f"tbl-{slug(record['run'])}-{name}", align, note
    )


def network(model):
    """A Keras model, a row a layer: output shape, parameters, multiplications for one image."""
    from helpers.inspection import layer_table

    caption = "The network, layer by layer, for one image."
    return Table(_layer_frame(layer_table(model)), caption, "tbl-network")


def layers(record):
    """A record's network, as `network` shows a model."""
    frame = _layer_frame(record["layers"])
    return _table(record, "layers", frame, "the network, layer by layer, for one image.")


def metrics(record):
    """Number of images, accuracy and loss of the three parts of the data, final weights."""
    rows, seeds = [], len(record["seeds"])
    for part in ("train", "validation", "test"):
        told = share(record, f"{part}_accuracy"), value(record, f"{part}_loss")
        rows.append([part, record["dataset"][part], *told])
    frame = pd.DataFrame(rows, columns=["Images", "Number", "Accuracy", "Loss"])
    caption = "the final weights on images without augmentation."
    note = f"Mean and standard deviation over {seeds} seeds." if seeds > 1 else "One seed."
    return _table(record, "metrics", frame, caption, note)


def generalisation(record):
    """Accuracy on plain and on transformed images, beside the nearest neighbour and chance."""
    extra, rows = record["extra"], []
    transformed = pd.DataFrame([seed["transformed"] for seed in record["seeds"]])
    for part in ("train", "validation", "test"):
        moved = spread(transformed[part], 1, 100) + " %"
        rows.append([part, share(record, f"{part}_accuracy", 1), moved])
    neighbour = [percent(extra["neighbour"][kind], 1) for kind in ("plain", "transformed")]
    rows.append(["test, nearest neighbour at 32 x 32 pixels or fewer", *neighbour])
    rows.append(["test, always the commonest class", *2 * [percent(extra["chance"], 1)]])
    frame = pd.DataFrame(rows, columns=["Images", "Plain", "Transformed"])
    caption = f"accuracy on images as they are and on transformed ones ({extra['judge']})."
    return _table(record, "generalisation", frame, caption)


def trial_table(record):
    """The trials of the first seed's searches, best first (the record's layers are its best's)."""
    seed, seeds = record["seeds"][0], len(record["seeds"])
    trials = sorted(seed["trials"], key=lambda trial: -trial["score"])
    which = f" of seed {seed['seed']}, one of {seeds}" if seeds > 1 else ""
    note = "Accuracy: the best on validation images. What Hyperband continues is a row each time."
    frame = pd.DataFrame(map(_trial_row, trials))
    return _table(record, "trials", frame, f"the trials{which}, best first.", note, "llllrrr")


def audit(audits):
    """A row a data set: copies, twins, the nearest neighbour's accuracy, doubted labels."""
    frame = pd.DataFrame(map(_audit_row, audits.values()), columns=None if audits else ["Data"])
    sides = " or ".join(sorted({f"{one['parameters']['side']}" for one in audits.values()}))
    note = (
        "Copies: test images that also stand among the training images, pixel for pixel. Twins: "
        "test images with a training image nearer than `twin_distance`, both averaged down to "
        f"{sides} pixels a side: of larger ones fewer are. Then the nearest neighbour's accuracy "
        "in percent on these smaller images, with a few training images a class (mean, deviation "
        "over draws) and with all, and balanced; validation images count as training images. "
        "Doubted: labels that networks which never saw the image contradict in every repeat. "
        f"{data_named(audits.values())}"
    )
    note = note if audits else "No audit has a record in this edition."
    align = "l" + "r" * (frame.shape[1] - 1)
    caption = "The data before any network: copies, twins, the nearest neighbour, labels in doubt."
    return Table(frame, caption, "tbl-audit", align, note)


def training_figures(records):
    """Training accuracy and loss: averaged while learning, of the final weights, as reported."""
    rows = []
    for run, record in records.items():
        last = pd.DataFrame([seed["history"] for seed in record["seeds"]]).map(lambda of: of[-1])
        accuracy, loss = last["accuracy"].mean(), last["loss"].mean()
        rows.append([run, "averaged over the last epoch", percent(accuracy), f"{loss:.5f}"])
        final = share(record, "train_accuracy"), value(record, "train_loss", 5)
        rows.append([run, "final weights", *final])
        reported = {} if record["dataset"]["kind"] == "stand-in" else record["reported"]
        if "train_loss" in reported:
            printed = percent(reported["train_accuracy"]), f"{reported['train_loss']:.5f}"
            rows.append([run, "reported", *printed])
    frame = pd.DataFrame(rows, columns=["Run", "Figure", "Accuracy", "Loss"])
    frame["Run"] = frame["Run"].map("`{}`".format).map(Prose).mask(frame["Run"].duplicated(), "")
    caption = "Training accuracy and loss, measured in two ways, and as reported."
    return Table(frame, caption, "tbl-course-training", note=data_named(records.values()))


def beside(record):
    """A run and the one that it stands beside, if it does, a row each; dashes where that has no
    record yet."""
    name = runs.entry(record["run"]).get("beside")
    other = load(record["parameters"]["profile"], name) if name else None
    rows = [_run_row(record), _run_row(other) if other else {"Run": name}]
    frame = pd.DataFrame(rows if name else rows[:1])
    note = "Interval: Wilson's. " + data_named([record, other] if other else [record])
    caption = f"the run and {runs.title(name)}, beside which it stands." if name else "the run."
    return _table(record, "beside", frame, caption, note)


def _layer_frame(rows):
    frame = pd.DataFrame(rows)[["layer", "shape", "parameters", "macs"]]
    frame.loc[len(frame)] = ["all", "", frame["parameters"].sum(), frame["macs"].sum()]
    return frame.set_axis(["Layer", "Output", "Parameters", "Multiplications"], axis=1)


def _trial_row(trial):
    values, first = trial["values"], trial["start"]
    return {
        "Search": trial["search"],
        "Units": ", ".join(str(values[f"units_{n}"]) for n in range(1, values["layers"] + 1)),
        "Activation": values["activation"],
        "Initialiser": values["initializer"],
        "Rate": f"{values['learning_rate']:.1e}",
        "Epochs": (f"{first} to " if first else "") + str(first + trial["epochs"]),
        "Accuracy": percent(trial["score"]),
    }


def _audit_row(record):
    extra, seed = record["extra"], record["seeds"][0]
    return {
        "Data": record["dataset"]["title"],
        "Copies": f"{extra['duplicates']['across']:,}",
        "Twins": f"{100 * sum(extra['twins']) / record['dataset']['test']:.1f} %",
        **{f"{shots} a class": spread(few, 1, 100) for shots, few in extra["few_shot"].items()},
        "All": f"{100 * seed['test_accuracy']:.2f}",
        "Balanced": f"{100 * seed['balanced_accuracy']:.2f}",
        "Doubted": f"{extra['doubted_count']:,} of {extra['judged']:,}",
    }


def _run_row(record):
    accuracy, tested = mean_std(record, "test_accuracy")[0], record["dataset"]["test"]
    low, high = statistics.wilson(accuracy * tested, tested)
    return {
        "Run": record["run"],
        "Training images": f"{record['dataset']['train']:,}",
        "Batch": str(record["parameters"]["batch_size"]),
        "Epochs": f"{mean_std(record, 'epochs')[0]:.3g}",
        "Seconds": f"{median(record, 'seconds'):,.0f}",
        "Accuracy": share(record, "test_accuracy"),
        "95 % interval": f"{100 * low:.2f} to {100 * high:.2f} %",
    }

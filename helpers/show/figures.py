"""The figures of a run: drawn into figures/PROFILE/RUN/, shown with their caption, and listed in the record.

Those that follow from record and predictions alone are drawn again by the report when their drawing changes; those that need images or
weights are drawn by the notebook, and the report shows the file (`kept`).
"""

from functools import wraps

import numpy as np

from helpers import results
from helpers import show as plots
from helpers.show.exhibits import Figure, Prose, plain
from helpers.store import files, paths

WIDTHS = {
    "confusion": "80%",
    "plane": "70%",
    "reliability": "70%",
    "transformations": "80%",
}  # of the text's width; the others take all of it


def show(dataset, run, profile, name, caption, function, *inputs, **options):
    """Draw `function(*inputs, label=dataset, **options)` unless the file is there already, list it, and return it as an exhibit."""
    path = paths.figures(profile, run) / f"{name}.png"
    if function not in (plots.curves, plots.watched):  # which find their label in the record
        options["label"] = dataset
    plots.update(path, function, *inputs, **options)
    index = path.with_name("index.json")
    listed = {**(files.load_json(index) or {}), name: caption}
    if listed != files.load_json(index):
        files.save_json(index, listed)
    return Figure(path, caption, f"fig-{run}-{name}", WIDTHS.get(name, "100%"))


def kept(record, name, width=None):
    """A figure that the run's notebook drew, or None where it is not there or damaged."""
    for entry in record["figures"]:
        if (
            entry["path"].endswith(f"/{name}.png")
            and (paths.OUT / entry["path"]).exists()
            and files.whole_png(paths.OUT / entry["path"])
        ):
            return Figure(
                entry["path"],
                entry["caption"],
                f"fig-{record['run']}-{name}",
                width or WIDTHS.get(name, "100%"),
            )
    return None


def from_record(record, name, caption, function, *inputs, **options):
    """`show` for the run and the data of a record."""
    return show(
        stamp(record["dataset"]),
        record["run"],
        record["parameters"]["profile"],
        name,
        caption,
        function,
        *inputs,
        **options,
    )


def stamp(dataset):
    """What a figure says of its data set."""
    return {"label": dataset["label"], "kind": dataset["kind"]}


def samples(data, run, profile):
    """The first training images of every class."""
    chosen = np.concatenate(
        [np.flatnonzero(data.y_train == number)[:8] for number in range(data.classes)]
    )
    caption = (
        f"{plain(data.label)}: the first training images of every class, under the class's name."
    )
    return show(
        {"label": data.label, "kind": data.kind},
        run,
        profile,
        "samples",
        caption,
        plots.samples,
        data.x_train[chosen],
        data.y_train[chosen],
        data.class_names,
    )


def curves(record):
    """Accuracy and loss by epoch."""
    n = len(record["seeds"])
    over = "" if n == 1 else f" A thin line is one of {n} seeds, the thick one their mean."
    return from_record(
        record,
        "curves",
        f"{record['run']}: accuracy and loss by epoch. Training figures are averages taken while the network learns, "
        f"with dropout at work; validation figures are taken after the epoch.{over}",
        plots.curves,
        record,
    )


def confusion(record, predictions):
    """Confusion matrix over all seeds."""
    return from_record(
        record,
        "confusion",
        f"{record['run']}: what the test images of each class (row) are taken for (column), in percent of the class.",
        plots.confusion,
        predictions["y_true"],
        predictions["y_pred"],
        record["dataset"]["class_names"],
    )


def reliability(record, predictions):
    """Reliability diagram of the seed of median accuracy."""
    seed = results.median_seed(record)
    confidence, scaled = (
        np.exp(predictions[name][seed].astype("float32"))
        for name in ("logp_pred", "logp_pred_scaled")
    )
    return from_record(
        record,
        "reliability",
        f"{record['run']}: how often the network is right at each confidence, before and after temperature scaling.",
        plots.reliability,
        confidence,
        predictions["y_pred"][seed] == predictions["y_true"],
        scaled,
    )


def mistakes(record, predictions, images):
    """The most confident mistakes of the seed of median accuracy."""
    seed = results.median_seed(record)
    return from_record(
        record,
        "mistakes",
        f"{record['run']}: the mistakes that the network made with the greatest confidence.",
        plots.mistakes,
        images,
        predictions["y_true"],
        predictions["y_pred"][seed],
        np.exp(predictions["logp_pred"][seed].astype("float32")),
        record["dataset"]["class_names"],
    )


def gallery(record, predictions, images):
    """The first test images with what the seed of median accuracy makes of them."""
    seed = results.median_seed(record)
    return from_record(
        record,
        "gallery",
        f"{record['run']}: test images with the predicted class, its probability and, where it is wrong, the true class.",
        plots.gallery,
        images,
        predictions["y_true"],
        predictions["y_pred"][seed],
        np.exp(predictions["logp_pred"][seed].astype("float32")),
        record["dataset"]["class_names"],
    )


def augmented(data, run, profile, originals, copies):
    """Images and what the random transformations make of them."""
    return show(
        {"label": data.label, "kind": data.kind},
        run,
        profile,
        "augmented",
        f"{run}: training images, and three random versions of each.",
        plots.augmented,
        originals,
        copies,
    )


def of_first_seed(draw):
    """A figure of a network's weights: drawn from seed 0, and shown as it was kept when a run goes on with later seeds."""

    @wraps(draw)
    def wrapped(record, *inputs):
        *inputs, one = inputs
        return (
            draw(record, *inputs, one.model)
            if one.seed == 0
            else kept(
                {**record, "figures": results.figures(record)}, draw.__name__.replace("_", "-")
            )
        )

    return wrapped


@of_first_seed
def attention(record, predictions, images, model):
    """Grad-CAM of the first seed's most confident mistakes: the evidence for the class it chose. The last argument is a `training.Trained`."""
    from helpers import explain

    wrong = np.flatnonzero(predictions["y_pred"][0] != predictions["y_true"])
    worst = wrong[np.argsort(-predictions["logp_pred"][0][wrong].astype("float32"), kind="stable")][
        :6
    ]
    what = (
        "its most confident mistakes" if len(worst) else "the first test images; it made no mistake"
    )
    worst = worst if len(worst) else np.arange(6)
    names, predicted = record["dataset"]["class_names"], predictions["y_pred"][0][worst]
    titles = [
        f"taken for\n{names[p]}\nis {names[t]}"
        for p, t in zip(predicted, predictions["y_true"][worst])
    ]
    heat = explain.gradcam(model, images[worst], predicted)
    return from_record(
        record,
        "attention",
        f"{record['run']}: where the first seed's network saw the evidence for its answer (Grad-CAM), on {what}.",
        plots.gradcam,
        images[worst],
        heat,
        titles,
    )


@of_first_seed
def feature_maps(record, images, model):
    """What the convolutions make of the first test image."""
    from helpers import explain

    return from_record(
        record,
        "feature-maps",
        f"{record['run']}: what each convolution makes of the first test image, twelve channels each; bright is a strong answer. The "
        "deeper the layer, the coarser the map and the less it resembles the image.",
        plots.feature_maps,
        explain.feature_maps(model, images[0]),
    )


@of_first_seed
def plane(record, images, labels, model, n=2000):
    """The last hidden layer in two dimensions, for the first test images."""
    from helpers import explain

    points, held = explain.plane(model, images[:n])
    return from_record(
        record,
        "plane",
        f"{record['run']}: the first seed's last hidden layer for {len(points):,} test images, on its two principal axes, "
        f"which hold {100 * held:.0f}\u00a0% of the variance.",
        plots.embedding,
        points,
        labels[:n],
        record["dataset"]["class_names"],
    )


@of_first_seed
def filters(record, model):
    """The first convolution's kernels."""
    first = next(
        layer
        for layer in model.layers
        if len(layer.get_weights()) and layer.get_weights()[0].ndim == 4
    )
    return from_record(
        record,
        "filters",
        f"{record['run']}: the filters of the first convolution; white is zero.",
        plots.filters,
        first.get_weights()[0],
    )


def transformations(record):
    """Accuracy under one transformation at a time."""
    seeds = record["seeds"]
    effects = {
        "none": [seed["test_accuracy"] for seed in seeds],
        **{name: [seed["single"][name] for seed in seeds] for name in seeds[0]["single"]},
        "all together": [seed["transformed"]["test"] for seed in seeds],
    }
    effects = {name.replace("_", " "): values for name, values in effects.items()}
    return from_record(
        record,
        "transformations",
        f"{record['run']}: accuracy on test images under one random transformation at a time, worst last.",
        plots.transformations,
        {"transformations": effects, "chance": record["extra"]["chance"]},
    )


def trials(record):
    """The trials of all searches."""
    found = [
        {**trial, "seed": seed["seed"]} for seed in record["seeds"] for trial in seed["trials"]
    ]
    which = f" of seed {record['seeds'][0]['seed']}" if len(record["seeds"]) > 1 else ""
    return from_record(
        record,
        "trials",
        f"{record['run']}: every trial's settings{which}, coloured by its validation accuracy, and the best so far by epochs spent "
        "(the earliest may lie below the frame).",
        plots.trials,
        found,
    )


REDRAWN = {
    "curves": curves,
    "transformations": transformations,
    "trials": trials,
    "confusion": confusion,
    "reliability": reliability,
}


def redraw(record, name):
    """Draw one of the figures that follow from record and predictions again; returns whether it is one of them."""
    if name not in REDRAWN:
        return False
    inputs = (
        [results.predictions(record["parameters"]["profile"], record["run"])]
        if name in ("confusion", "reliability")
        else []
    )
    REDRAWN[name](record, *inputs)
    return True


def reported_measured(records, profile):
    """Reported and measured accuracy of all runs."""
    if not records:
        return Prose("")
    return _overall(
        "reported-measured",
        profile,
        "Test accuracy, reported and measured: mean, range over seeds (thick) and 95 % interval for the test sample (thin). Hollow signs are "
        "not to be compared: other data, or a short run.",
        plots.reported_measured,
        records,
    )


def all_curves(records, profile):
    """Accuracy by epoch of all runs."""
    if not records:
        return Prose("")
    return _overall(
        "curves",
        profile,
        "Accuracy by epoch on training images (dashed, an average while the network learns) and on validation images; a thin line a seed, the thick one "
        "their mean. Each panel has its own scale.",
        plots.all_curves,
        records,
    )


def cost(records, profile):
    """Accuracy against multiplications."""
    records = {
        run: record
        for run, record in records.items()
        if "parameter_count" not in record["seeds"][0]
    }  # a search has no network of its own
    if not records:
        return Prose("")
    return _overall(
        "cost",
        profile,
        "Test accuracy against multiply-accumulates for one image, with the range over seeds. The line joins the runs that no other beats on both.",
        plots.cost,
        records,
    )


def _overall(name, profile, caption, function, records):
    path = paths.figures(profile, "all") / f"{name}.png"
    plots.update(path, function, list(records.values()))
    return Figure(path, caption, f"fig-{name}")

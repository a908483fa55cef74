"""Figures made of images: samples, answers, augmentation, pairs, what a network sees. Notebooks."""

from itertools import zip_longest

import numpy as np

from helpers import runs
from helpers.show.canvas import BAD, BLACK, GOOD, SMALL, WIDTH, about, canvas, fit
from helpers.show.drawn import figure
from helpers.show.exhibits import plain


@figure
def samples(data, run, profile):
    """{label}: the first training images of every class, under the class's name."""
    bands = -(-data.classes // 13)
    columns, n = -(-data.classes // bands), {1: 4, 2: 3, 3: 3}.get(bands, 2)
    stacks = []
    for number in range(data.classes):
        images = data.x_train[np.flatnonzero(data.y_train == number)[:n]]
        framed = np.pad(images, ((0, n - len(images)), (1, 1), (0, 0)), constant_values=255)
        stacks.append(framed.reshape(-1, images.shape[2]))
    names = [fit(name, WIDTH / columns) for name in data.class_names]
    return grid(stacks, about(data), columns, above=names)[0], {"label": plain(data.label)}


@figure
def augmented(data, run, profile, originals, versions):
    """{run}: training images, and {n} random versions of each.

    `originals` (n, ...) are in the top row, `versions` (versions, n, ...) below.
    """
    images = [image for images in (originals, *versions) for image in images]
    names = ["original", *(f"version {number}" for number in range(1, len(versions) + 1))]
    return grid(images, about(data), len(originals), rows=names)[0], {"n": len(versions)}


@figure
def mistakes(record, answers, images):
    """{run}: the mistakes that the first seed's network made with the greatest confidence."""
    chosen = _most_confident_mistakes(answers)[:24]
    if not len(chosen):
        return f"{runs.title(record['run'])}: not a single test image is classified wrongly."
    return _answered(record, answers, images, chosen)


@figure
def gallery(record, answers, images):
    """{run}: test images with the first seed's answer, its probability and the true class; ticked
    and green where right, crossed and orange where wrong.
    """
    return _answered(record, answers, images, np.arange(min(24, len(images))))


@figure
def doubts(record, images):
    """{data}: the labels that networks doubt most. Below each image the class that every repeat
    named instead, how sure the least sure one was, and the label.

    `images` (n, height, width, 1) are in the order of the record.
    """
    if not len(images):
        return f"{plain(record['dataset']['title'])}: no label is doubted by every network."
    names, texts = record["dataset"]["class_names"], []
    for doubt in record["extra"]["doubted"]:
        answer, label = names[doubt["answer"]], names[doubt["label"]]
        texts.append(f"{answer}\n{_percent(doubt['confidence'])}\nlabel: {label}")
    frames = [BLACK] * len(texts)
    return grid(images, record["dataset"], _columns(names), below=texts, frames=frames)[0]


@figure
def attention(record, answers, images, trained):
    """{run}: where the first seed's network saw the evidence for its answer, on {what}
    (Grad-CAM).
    """
    from helpers import explain

    names, chosen = record["dataset"]["class_names"], _most_confident_mistakes(answers)[:6]
    what = "its most confident mistakes" if len(chosen) else "test images; it made no mistake"
    chosen = chosen if len(chosen) else np.arange(min(6, len(images)))
    read, true = answers["y_pred"][0][chosen], answers["y_true"][chosen]
    above = [f"taken for\n{names[r]}\nis {names[t]}" for r, t in zip(read, true)]
    body, panels = grid([*images[chosen]] * 2, record["dataset"], len(chosen), above)
    look = {"cmap": "inferno", "vmin": 0, "vmax": 1, "alpha": 0.6, "interpolation": "bilinear"}
    heat = explain.gradcam(trained.model, images[chosen], read)
    for axes, evidence in zip(panels[len(chosen) :], heat):
        axes.imshow(evidence, extent=axes.images[0].get_extent(), **look)
    return body, {"what": what}


@figure
def feature_maps(record, images, trained):
    """{run}: what each convolution makes of the first test image, twelve channels each; bright is a
    strong answer. The deeper the layer, the coarser the map and the less it resembles the image.
    """
    from helpers import explain

    maps = explain.feature_maps(trained.model, images[0])
    rows = [f"{name}\n{' x '.join(map(str, stack.shape))}" for name, stack in maps.items()]
    channels = [[*np.moveaxis(stack, -1, 0), *[None] * 12][:12] for stack in maps.values()]
    look = {"cmap": "viridis", "vmin": None, "vmax": None}
    return grid(sum(channels, []), record["dataset"], 12, rows=rows, **look)[0]


@figure
def filters(record, trained):
    """{run}: the filters of the first convolution; white is zero, orange above, violet below."""
    weights = (weight for layer in trained.model.layers for weight in layer.get_weights())
    kernels = np.moveaxis(next(w for w in weights if w.ndim == 4).mean(axis=2), -1, 0)
    limit = float(np.abs(kernels).max()) or 1.0
    look = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit}
    return grid(kernels, record["dataset"], min(16, max(8, len(kernels))), **look)[0]


def pairs(record, answers, x_train, y_train, x_test, closest=False):
    """Test images over their nearest training images: the closest, or from closest to farthest."""
    draw = figure(_pairs, "closest" if closest else "neighbours")
    return draw(record, answers, x_train, y_train, x_test, closest)


def _pairs(record, answers, x_train, y_train, x_test, closest, n=8):
    """{data}: test images {which}, their nearest training image and the difference of the two; a
    class in orange is another one. Below, the root-mean-square difference at {side} x {side} pixels
    or so, as a share of the pixel range.
    """
    order, names = np.argsort(answers["distance"], kind="stable"), record["dataset"]["class_names"]
    n = min(n, len(order))
    chosen = order[:n] if closest else order[np.linspace(0, len(order) - 1, n).astype(int)]
    near, true = answers["nearest"][chosen], answers["y_true"][chosen]
    gaps = np.abs(x_test[chosen].astype("int16") - x_train[near])
    above, below = ([fit(names[k], 0.85, 1) for k in labels] for labels in (true, y_train[near]))
    below = [f"{text}\n{gap:.3f}" for text, gap in zip(below, answers["distance"][chosen])]
    images, rows = [*x_test[chosen], *x_train[near], *gaps], ("test", "training", "difference")
    body, panels = grid(images, record["dataset"], n, above, [""] * 2 * n + below, rows)
    for axes, alike in zip(panels[2 * n :], y_train[near] == true):
        axes.xaxis.label.set_color(BLACK if alike else BAD)
    some = "from the one with the closest training image to the one with the farthest"
    which = "that have the closest training image" if closest else f"in equal steps {some}"
    return body, {"which": which, "side": record["parameters"]["side"]}


def _answered(record, answers, images, chosen):
    names, texts, frames = record["dataset"]["class_names"], [], []
    for image in chosen:
        read, true = answers["y_pred"][0][image], answers["y_true"][image]
        sure = _percent(np.exp(float(answers["logp_pred"][0][image])))
        texts.append(f"{'✓' if read == true else '✗'} {names[read]}\n{sure}\ntrue: {names[true]}")
        frames.append(GOOD if read == true else BAD)
    columns = _columns(names)
    return grid(images[chosen], record["dataset"], columns, below=texts, frames=frames)[0]


def grid(images, dataset, columns, above=(), below=(), rows=(), frames=(), **look):
    """Images in rows of `columns`, with texts `above` and `below` them; None leaves a gap.

    `rows`: names at the left. `frames`: a colour an image, for its frame and the text below it.
    `look` is for Matplotlib's imshow. Returns the canvas and its axes, an image each.
    """
    down, size = -(-len(images) // columns), (WIDTH - 0.95 * bool(rows)) / columns - 0.04
    tall = size * images[0].shape[0] / images[0].shape[1] + 0.05 + 0.05 * bool(frames)
    over, under = (max((1 + t.count("\n") for t in texts), default=0) for texts in (above, below))
    lines = over * (down if len(above) > columns else 1) + under * (down if frames else 1)
    body = canvas(down * tall + 0.15 * lines + 0.05, dataset)
    panels = body.subplots(down, columns, squeeze=False).ravel()
    look = {"cmap": "gray", "vmin": 0, "vmax": 255, **look}
    for axes, *given in zip_longest(panels, images, above, below, frames):
        image, over, under, colour = given
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set(visible=bool(colour), color=colour, linewidth=2.5)
        axes.set_title(over or "", size=SMALL, loc="center", pad=3)
        axes.set_xlabel(under or "", size=SMALL, color=colour or BLACK, labelpad=3)
        if image is not None:
            smooth = "nearest" if image.shape[1] <= 64 else "antialiased"
            axes.imshow(image, interpolation=smooth, **look)
    for axes, name in zip(panels[::columns], rows):
        axes.set_ylabel(name, size=SMALL, rotation=0, ha="right", va="center")
    return body, panels


def _columns(names):
    return 8 if max(map(len, names)) <= 4 else 6


def _most_confident_mistakes(answers):
    wrong = np.flatnonzero(answers["y_pred"][0] != answers["y_true"])
    return wrong[np.argsort(-answers["logp_pred"][0][wrong].astype("float32"), kind="stable")]


def _percent(probability):  # 99.97 % must not read as certainty
    return f"{100 * probability:.1f} %" if probability < 0.9995 else ">99.9 %"

"""Figures made of images: samples, predictions, augmentation, and what a network sees."""

import numpy as np

from helpers.show.canvas import BAD, GOOD, GREY, SMALL, WIDTH, fit, new_figure, style

LINE = 0.14  # inches from one line of small text to the next


def samples(x, y, class_names, label, rows=None, per_class=None):
    """The first images of every class under its name. `rows` of classes and images `per_class` are chosen by the
    number of classes if not given.
    """
    classes = len(class_names)
    rows = rows or -(-classes // 13)
    columns = -(-classes // rows)
    per_class = per_class or {1: 4, 2: 3, 3: 3}.get(rows, 2)
    width = WIDTH / columns
    size = min(width - 0.06, 1.0)
    names = [fit(name, width) for name in class_names]
    head = 0.06 + LINE * (1 + max(name.count("\n") for name in names))
    band = head + per_class * (size + 0.04) + 0.06
    with style():
        fig = new_figure(rows * band, label)
        axes = fig.sheet(rows * band)
        for index, name in enumerate(names):
            left, top = index % columns * width, index // columns * band
            lines(axes, left + width / 2, top + head - 0.06 - LINE * name.count("\n"), name)
            for place, image in enumerate(np.flatnonzero(np.asarray(y) == index)[:per_class]):
                picture(
                    axes,
                    x[image],
                    left + (width - size) / 2,
                    top + head + place * (size + 0.04),
                    size,
                )
    return fig


def mistakes(x, y_true, y_pred, confidence, class_names, label, n=24):
    """The wrongly classified images of which the network was most confident, with what it read, how surely, and the
    truth.
    """
    wrong = np.flatnonzero(np.asarray(y_true) != np.asarray(y_pred))
    worst = wrong[np.argsort(-np.asarray(confidence, "float64")[wrong], kind="stable")][:n]
    if not len(worst):
        return remark("Not a single test image is classified wrongly.", label)
    return answered(x, y_true, y_pred, confidence, worst, class_names, label)


def gallery(x, y_true, y_pred, probability, class_names, label, n=24):
    """The first `n` images with predicted class, its probability and the true class: green and ticked where right, red
    and crossed where wrong.
    """
    return answered(
        x, y_true, y_pred, probability, np.arange(min(n, len(y_true))), class_names, label
    )


def augmented(x, augmented_images, label):
    """Originals (n, ...) in the top row, augmented versions (versions, n, ...) below, a row a version."""
    rows = [
        ("original", x),
        *((f"version {index}", images) for index, images in enumerate(augmented_images, 1)),
    ]
    return _rows(rows, label)


def filters(weights, label):
    """First-layer filters (height, width, inputs, filters), inputs averaged, on one scale that is white at 0: violet
    below, orange above.
    """
    kernels = np.moveaxis(np.asarray(weights, "float64").mean(axis=2), -1, 0)
    limit = np.abs(kernels).max() or 1.0
    columns = min(16, max(8, -(-len(kernels) // 4)), len(kernels))
    size = min(WIDTH / columns, 0.8)
    start, height = (WIDTH - columns * size) / 2, -(-len(kernels) // columns) * size
    with style():
        fig = new_figure(height + 0.45, label)
        axes = fig.sheet(height + 0.45)
        for index, kernel in enumerate(kernels):
            shown = picture(
                axes,
                kernel,
                start + index % columns * size + 0.03,
                index // columns * size + 0.03,
                size - 0.06,
                cmap="PuOr_r",
                vmin=-limit,
                vmax=limit,
            )
        bar = fig.colorbar(
            shown,
            cax=fig.place(WIDTH / 2 - 1.2, height + 0.12, 2.4, 0.09),
            orientation="horizontal",
            ticks=[-limit, 0, limit],
        )
        bar.set_ticklabels([f"-{limit:.2g}", "0", f"{limit:.2g}"])
    return fig


def feature_maps(maps, label, n=12):
    """What layers make of one image: `maps` is a dict from a layer's name to its output (height, width, channels), or
    one such array.

    The first `n` channels are shown, each on its own scale from dark (low) to bright (high).
    """
    maps = maps if isinstance(maps, dict) else {"": maps}
    size = (WIDTH - 0.02) / n
    with style():
        fig = new_figure(len(maps) * (size + LINE + 0.08), label)
        axes = fig.sheet(len(maps) * (size + LINE + 0.08))
        for row, (name, stack) in enumerate(maps.items()):
            top = row * (size + LINE + 0.08)
            stack = np.asarray(stack)
            shape = " x ".join(map(str, stack.shape))
            lines(axes, 0.02, top + LINE - 0.03, f"{name}: {shape}" if name else shape, ha="left")
            for channel in range(min(n, stack.shape[-1])):
                picture(
                    axes,
                    stack[..., channel],
                    0.02 + channel * size,
                    top + LINE + 0.03,
                    size - 0.05,
                    cmap="viridis",
                    vmin=None,
                    vmax=None,
                )
    return fig


def gradcam(images, heatmaps, titles, label):
    """Images (n, ...) and, below each, where the network looked: Grad-CAM heat maps (n, height, width) of any size,
    laid over them; bright counts most.
    """
    columns = min(len(images), 8 if np.shape(images)[1] <= 64 else 6)
    width = WIDTH / columns
    size = min(width - 0.06, 1.05)
    texts = [fit(title, width, 3) if "\n" not in title else title for title in titles]
    head = 0.06 + LINE * (1 + max(text.count("\n") for text in texts))
    band = head + 2 * size + 0.16
    rows = -(-len(images) // columns)
    with style():
        fig = new_figure(rows * band, label)
        axes = fig.sheet(rows * band)
        for index, (image, heat, text) in enumerate(zip(images, heatmaps, texts)):
            left, top = index % columns * width + (width - size) / 2, index // columns * band
            lines(axes, left + size / 2, top + head - 0.06 - LINE * text.count("\n"), text)
            picture(axes, image, left, top + head, size)
            picture(axes, image, left, top + head + size + 0.04, size)
            picture(
                axes,
                heat,
                left,
                top + head + size + 0.04,
                size,
                cmap="inferno",
                vmin=0,
                vmax=float(np.max(heat)) or 1.0,
                alpha=0.6,
                interpolation="bilinear",
            )
    return fig


def answered(x, y_true, y_pred, probability, chosen, class_names, label, truth="true"):
    """The images of the indices `chosen` in a frame, with the predicted class, its probability and the true one, which `truth` introduces.

    Frame and tick tell right from wrong, unless `truth` is "label": then nothing is said about who is right.
    """
    longest = max(
        len(class_names[index])
        for index in np.union1d(np.asarray(y_true)[chosen], np.asarray(y_pred)[chosen])
    )
    columns = 8 if longest <= 4 and np.shape(x)[1] <= 64 else 6
    width, size = WIDTH / columns, min(WIDTH / columns - 0.16, 0.85)
    band = size + LINE * (3.6 if longest > 4 else 2.6)
    height = -(-len(chosen) // columns) * (band + 0.08)
    break_ = "\n" if longest > 4 else ", "
    with style():
        fig = new_figure(height, label)
        axes = fig.sheet(height)
        for place, index in enumerate(chosen):
            left, top = (
                place % columns * width + (width - size) / 2,
                place // columns * (band + 0.08) + 0.04,
            )
            true, read = class_names[y_true[index]], class_names[y_pred[index]]
            right = y_true[index] == y_pred[index]
            mark, color = ("", GREY) if truth == "label" else ("✓ ", GOOD) if right else ("✗ ", BAD)
            share = _percent(probability[index])
            _frame(axes, left, top, size, color)
            picture(axes, x[index], left, top, size)
            verdict = f"{mark}{read}{break_}{share}"
            lines(axes, left + size / 2, top + size + 0.16, verdict, color=color)
            lines(
                axes,
                left + size / 2,
                top + size + 0.16 + LINE * (1 + verdict.count("\n")),
                f"{truth}: {true}",
            )
    return fig


def _percent(probability):
    # 99.97 % must not read as certainty.
    percent = 100 * float(probability)
    return f"{percent:.1f} %" if percent < 99.95 else ">99.9 %"


def _rows(rows, label):
    count = len(rows[0][1])
    side = 0.72
    size = min((WIDTH - side) / count - 0.04, 1.0)
    with style():
        fig = new_figure(len(rows) * (size + 0.04) + 0.1, label)
        axes = fig.sheet(len(rows) * (size + 0.04) + 0.1)
        for row, (name, images) in enumerate(rows):
            top = row * (size + 0.04) + (0.1 if row else 0.0)
            lines(
                axes,
                side - 0.08,
                top + size / 2 + 0.04,
                name,
                ha="right",
                weight="normal" if row else "bold",
            )
            for column in range(count):
                picture(axes, images[column], side + column * (size + 0.04), top, size)
    return fig


def picture(axes, image, left, top, size, cmap="gray", vmin=0, vmax=255, **options):
    """One image at a place and size given in inches, on a `sheet`."""
    image = np.asarray(image)
    image = image[..., 0] if image.ndim == 3 else image
    options.setdefault("interpolation", "nearest" if image.shape[0] <= 64 else "antialiased")
    limits = axes.get_xlim(), axes.get_ylim()
    shown = axes.imshow(
        image,
        cmap=cmap,
        vmin=vmin,
        vmax=vmax,
        extent=(left, left + size, top + size * image.shape[0] / image.shape[1], top),
        aspect="auto",
        **options,
    )
    axes.set(xlim=limits[0], ylim=limits[1])
    return shown


def _frame(axes, left, top, size, color):
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle(
            (left - 0.035, top - 0.035),
            size + 0.07,
            size + 0.07,
            facecolor=color,
            edgecolor="none",
            clip_on=False,
            zorder=-1,
        )
    )


def lines(axes, x, y, text, ha="center", color="black", **options):
    """Small text at a place given in inches, on a `sheet`."""
    # Line by line on baselines, so that neighbours stand level whatever their letters.
    for place, line in enumerate(text.split("\n")):
        axes.text(
            x, y + place * LINE, line, ha=ha, va="baseline", size=SMALL, color=color, **options
        )


def remark(text, label):
    """A figure that says why there is nothing to see."""
    with style():
        fig = new_figure(0.6, label)
        fig.sheet(0.6).text(WIDTH / 2, 0.3, text, ha="center", va="center", size=9)
    return fig

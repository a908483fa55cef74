"""A drawing or a photograph of one character, made like the images of a data set, and classified.

`prepare` is what the page of the report does too, in JavaScript; tests/helpers/prepared.json holds
drawings and pictures that both must give.
"""

import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from helpers import results
from helpers.datasets import copies, folders
from helpers.datasets.catalogue import SETS
from helpers.store import files, paths, startup
from helpers.store.paths import UserError

SIDE = 28
# Length of the long side by rule, as measured on the training images where they are brighter than
# 0.2 of white: of MNIST it is 20; of EMNIST 24 in most (24 or 26 with the faint rim); Kuzushiji and
# Fashion-MNIST fill the frame.
LONG = {"mass": 20, "box": 24, "fill": 28}
RULES = {"mnist": "mass", "emnist": "box", "kuzushiji": "fill"}  # by the first word of a set
PEN = 0.12  # width of a stroke as a share of the long side: three quarters of MNIST have more
WORK = 600  # pixels of the long side at which a photograph is searched
OTHERS = ("fashion_mnist", "fingers")  # sets whose pictures are no characters on paper
CONTRAST = 0.1  # of ink to paper, at least


def prepare(drawing, rule):
    """A drawing of any size, light on dark, as an image of a data set: uint8 (28, 28).

    drawing: (height, width), uint8 or float, 0 where nothing is. rule: "mass" as MNIST, "box" as
    EMNIST, "fill" as Kuzushiji. UserError for another rule or shape. Step by step, in floats:

    1. Crop to the rows and columns with a value above 0.2 times the largest: the faint rim of what
       was enlarged is none of the character. Where the largest is 0 the picture is empty.
    2. The long side becomes L = `LONG[rule]`, the other one max(1, floor(side * L / long + 0.5)).
    3. Area averaging along each axis: pixel i of n from m is the mean over the stretch from
       i * m / n to (i + 1) * m / n, parts of pixels counted as parts. It enlarges, too.
    4. Multiply so that the largest value is 255: that of nearly all training images.
    5. Shift by whole pixels, as MNIST was. "mass": the top row is floor(14.5 - c + 1e-9), where c
       is the centre of mass in rows (index times value, summed, by the sum of values), and between
       0 and 28 - height; columns likewise. The 1e-9 sends a half the same way in whatever order
       one sums. "box", "fill": the top row is floor((28 - height) / 2).
    6. Round: floor(value + 0.5).
    """
    if rule not in LONG or np.ndim(drawing) != 2:
        fault = f"Rule {rule!r} for a drawing with {np.ndim(drawing)} axes"
        raise UserError(f"{fault}: give one of {', '.join(LONG)} and an array (height, width).")
    picture, ink = np.zeros((SIDE, SIDE), np.uint8), np.maximum(np.asarray(drawing, float), 0)
    rows, columns = (np.flatnonzero((ink > 0.2 * ink.max()).any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return picture
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = (max(1, int(n * LONG[rule] / max(ink.shape) + 0.5)) for n in ink.shape)
    small = _average(height, len(ink)) @ ink @ _average(width, ink.shape[1]).T
    small *= 255 / small.max()
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    if rule == "mass":
        top, left = (_offset(small.sum(axis=axis)) for axis in (1, 0))
    picture[top : top + height, left : left + width] = np.floor(small + 0.5)
    return picture


def _average(n, m):
    """The matrix (n, m) that averages m values down to n."""
    edges, pixels = np.arange(n + 1)[:, None] * m / n, np.arange(m)
    covered = np.minimum(edges[1:], pixels + 1) - np.maximum(edges[:-1], pixels)
    return np.maximum(covered, 0) * n / m


def _offset(sums):
    """Where a picture begins whose centre of mass along an axis comes to lie at 14."""
    centre = np.arange(len(sums)) @ sums / sums.sum()
    return int(np.clip(np.floor(14.5 - centre + 1e-9), 0, SIDE - len(sums)))


def find(photo):
    """The character on a photograph of paper, cut out: light on dark, float from 0 to 1.

    photo: grey (height, width), dark ink on light paper, 0 to 255. A closing, which fills up what
    is dark and thin, gives the paper alone; divided by it the light is even. Ink is what is darker
    than half of the darkest thousandth; gaps are bridged, patches that reach the edge are left out
    (twice, for a table may be darker than the ink), and the heaviest one is the character. A thin
    pen is thickened to the pen of MNIST. UserError where there is none.
    """
    unit = max(np.shape(photo)) / WORK
    smooth = ndimage.gaussian_filter(np.asarray(photo, float), 1.5 * unit)
    dark = 1 - smooth / np.maximum(ndimage.grey_closing(smooth, [int(WORK / 4 * unit)] * 2), 1)
    for _ in range(2):
        most = np.quantile(dark, 0.999)
        near = ndimage.binary_dilation(dark > most / 2, iterations=max(1, int(8 * unit)))
        patches, _ = ndimage.label(near)
        edge = patches[0], patches[-1], patches[:, 0], patches[:, -1]
        dark[near & np.isin(patches, np.concatenate(edge))] = 0
    weight = np.bincount(patches.ravel(), np.where(near, dark, 0).ravel())
    if most < CONTRAST or not weight[1:].any():
        raise UserError("no dark character on light paper is found: take it whole and alone.")
    ink = np.clip(1.5 * dark / most - 0.25, 0, 1) * (patches == 1 + weight[1:].argmax())
    return _thickened(ink[ndimage.find_objects((ink > 0.2).astype(int))[0]])


def _thickened(ink):
    """Ink with strokes of at least PEN times its long side."""
    distance = ndimage.distance_transform_edt(np.pad(ink > 0.5, 1))
    radius = (PEN * max(ink.shape) - 4 * distance[distance > 0].mean()) / 2
    if radius < 0.5:
        return ink
    reach = np.arange(-round(radius), round(radius) + 1)
    disc = reach[:, None] ** 2 + reach**2 <= radius**2
    return ndimage.grey_dilation(np.pad(ink, len(reach)), footprint=disc)


def image(path, run):
    """What the network of a run makes of a photograph: a dict of plain values.

    `answer` and `second` are class names, with their probabilities after temperature scaling;
    `probabilities` has those of all classes; `seen` is the path of a PNG with what was cut out and,
    beside it, what the network saw. A character is found and made like those of its data set; for a
    run on a folder of pictures (`datasets.from_folder`) the whole picture is taken, as they were.
    UserError where picture, run or trained network are not there or do not go together.
    """
    from helpers import evaluation

    model, data, temperature = _trained(run)
    photo, _ = folders.read(path, max(WORK, model.input_shape[1]))
    if rule := data["asked"] in SETS and RULES.get(data["asked"].split("_")[0].rstrip("49")):
        photo.thumbnail((WORK, WORK))
        cut = find(photo)
        picture = prepare(cut, rule)
    else:
        meta = copies.meta(paths.DATA / data["asked"]) or {}
        picture = folders.fitted(photo, model.input_shape[1], meta.get("fit", "pad"))
        cut = np.asarray(photo) / 255
    logp = evaluation.log_probabilities(model, picture[None, ..., None])
    shares = np.exp(evaluation.scale(logp, temperature)[0].astype(float)).tolist()
    named = sorted(zip(shares, data["class_names"]), reverse=True)
    seen = str(_kept(cut, picture, f"{run}-{Path(path).stem}"))
    told = {"image": str(path), "run": run, "data": data["label"], "seen": seen}
    told |= zip("probability answer second_probability second".split(), named[0] + named[1])
    return {**told, "temperature": temperature, "probabilities": {n: p for p, n in named}}


def _trained(run):
    """A run's network, trained, with its record's `dataset` and temperature: the one that an
    edition carries, or that of the first seed in data/trained."""
    from helpers import keras, models

    for profile in ("full", "quick", "lab", "smoke"):
        record, carried = results.load(profile, run), paths.models(profile) / f"{run}.keras"
        if not record:
            continue
        data, seed = record["dataset"], record["seeds"][0]
        stem = paths.trained(profile, run) / f"seed-{seed['seed']}"
        if data["asked"] in OTHERS:
            raise UserError(f"{run} is on {data['label']}: predict reads characters, or your own.")
        if carried.exists():
            about = carried.with_name("models.json")
            if harmed := {carried, about} & {*files.harmed(about.with_suffix(".sha256"))}:
                raise UserError(f"{harmed.pop()} is damaged: `git checkout` brings it back.")
            number = files.load_json(about)["networks"][run]["seed"]
            seed = next(each for each in record["seeds"] if each["seed"] == number)
            return keras.models.load_model(carried, compile=False), data, seed["temperature"]
        kept = not files.harmed(stem.with_suffix(".sha256")) and files.load_json(f"{stem}.json")
        if kept and kept["history"] == seed.get("history"):  # else it is of another training
            shape = [int(size) for size in record["layers"][0]["shape"].split(" x ")]
            model = getattr(models, record["parameters"]["network"])(shape, data["classes"])
            with np.load(stem.with_suffix(".weights.npz"), allow_pickle=False) as weights:
                model.set_weights([weights[name] for name in weights])
            return model, data, seed["temperature"]
    carried = sorted(path.stem for path in paths.models("full").glob("[emk]*.keras"))  # characters
    way = f"a run that trains one is made by `make all RUNS={run}` or `make own`"
    raise UserError(f"Run {run} has no trained network: {way}; carried are {', '.join(carried)}.")


def _kept(cut, picture, name):
    """Path of a PNG with what was cut out and, right of it, what the network saw."""
    side, buffer = 280, io.BytesIO()
    left = Image.fromarray(np.uint8(255 * cut)).resize((side * cut.shape[1] // len(cut) or 1, side))
    right = Image.fromarray(picture).resize((side, side), Image.Resampling.NEAREST)
    both = Image.new("L", (left.width + side + 10, side), 128)
    both.paste(left, (0, 0))
    both.paste(right, (left.width + 10, 0))
    both.save(buffer, "PNG")
    path = paths.figures("predict", f"{name}.png")
    files.save_bytes(path, buffer.getvalue())
    return path


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m helpers.predict", description=image.__doc__)
    parser.add_argument("run")
    parser.add_argument("image")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        told = image(options.image, options.run)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
        return 0
    told |= {key: round(100 * told[key], 2) for key in ("probability", "second_probability")}
    line = "{image}: {answer} ({probability} %), or else {second} ({second_probability} %)\n"
    line += "cut out, and what {run} (learnt on {data}) saw of it: {seen}"
    print(line.format(**told))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A drawing or a photograph of one character, made like the images of a data set, and classified.
Notebook 12 and `make predict`; the report's page takes `prepare` and `trained`."""

# ruff: noqa: F401
import argparse
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from helpers.datasets import copies, folders
from helpers.datasets.catalogue import SETS
from helpers.predict.answer import Answer
from helpers.predict.networks import carried, examples, learnt, softened, split, trained
from helpers.predict.pictures import WORK, find, prepare, search
from helpers.show.exhibits import Prose, plain
from helpers.store import files, paths, startup
from helpers.store.paths import UserError

RULES = {"mnist": "mass", "emnist": "box", "kuzushiji": "fill"}  # by the first word of a set


def rule(record):
    """The rule of `prepare` for a record's data set; None where its images are no characters."""
    asked = record["dataset"]["asked"]
    return RULES.get(asked.split("_")[0].rstrip("49")) if asked in SETS else None


def read(path, record):
    """A photograph as an image for the network of a record: (picture, cut, notes).

    picture: uint8 (height, width). cut: what was cut out of the photograph, float from 0 to 1.
    notes: lines on what one should know of it. A character is found and made like those of its data
    set; for a run on a folder of pictures (`datasets.from_folder`) the whole picture is taken, as
    they were. UserError where that cannot be, and for a run on neither.
    """
    data, side = record["dataset"], int(record["layers"][0]["shape"].split(" x ")[0])
    if data["asked"] in SETS and not rule(record):
        fault = f"{record['run']} is on {data['label']}: predict reads characters, or your own"
        raise UserError(f"{fault}; carried are {', '.join(carried())}.")
    photo, _ = folders.read(path, max(WORK, side))
    if not rule(record):
        fit = (copies.meta(paths.DATA / data["asked"]) or {}).get("fit", "pad")
        return folders.fitted(photo, side, fit), np.asarray(photo) / 255, []
    photo.thumbnail((WORK, WORK))
    cut, notes = search(photo)
    return prepare(cut, rule(record)), cut, notes


def image(path, run):
    """What the network of a run makes of a photograph: a dict of plain values.

    `answer` and `second` are class names, with their probabilities after temperature scaling;
    `probabilities` has those of all classes; `seen` is the path of a PNG with what was cut out and,
    beside it, what the network saw; `notes` is a list of lines on the picture. UserError where
    picture, run or trained network are not there or do not go together.
    """
    from helpers import evaluation

    model, record, seed = trained(run)
    data, temperature = record["dataset"], seed["temperature"]
    picture, cut, notes = read(path, record)
    logp = evaluation.log_probabilities(model, picture[None, ..., None])
    shares = np.exp(evaluation.scale(logp, temperature)[0].astype(float)).tolist()
    named = sorted(zip(shares, data["class_names"]), reverse=True)
    seen = str(_kept(cut, picture, f"{run}-{Path(path).stem}"))
    told = {"image": str(path), "run": run, "data": data["label"], "seen": seen, "notes": notes}
    told |= zip("probability answer second_probability second".split(), named[0] + named[1])
    return {**told, "temperature": temperature, "probabilities": {n: p for p, n in named}}


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


def photograph(path, record, look):
    """`look(picture)` of a photograph; what one should know of it is printed. Without a path a line
    that says what to give. UserError as of `read`."""
    if not path:
        return Prose('No photograph is given: set `photo = "my_digit.jpg"` above.')
    picture, cut, notes = read(path, record)
    print(*notes, f"cut out: {_kept(cut, picture, Path(path).stem)}", sep="\n")
    return look(picture)


def pad(record, look):
    """A pad to draw on, a widget: each stroke hands the drawing, prepared as the record's data set
    is, to `look(picture)`, and what that returns is shown beside it. A line where the images of the
    data set are nothing that one draws."""
    if not rule(record):
        told = f"{plain(record['dataset']['label'])} cannot be drawn with one pen."
        return Prose(f"{told} `predict.carried()` lists networks; those for characters have a pad.")
    from helpers.predict.drawing import beside  # the widgets take most of a second

    return beside(rule(record), look)


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
    print(line.format(**told), *told["notes"], sep="\n")
    return 0

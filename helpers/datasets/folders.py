"""A data set from a folder of pictures, `photos/cat/*.jpg`, and the reading of one picture.

`python -m helpers.datasets NAME FOLDER` and `predict` call it.
"""

import os
import re
import struct
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from helpers.datasets import copies
from helpers.datasets.catalogue import RESERVED, SETS
from helpers.store import files, paths
from helpers.store.paths import UserError

FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP")
MOST = 50_000_000  # pixels of a picture: 50 MB of grey, 200 MB in colour while it is turned grey
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
COLOUR = "in colour, turned grey"
FITS = {"pad": "padded with the median of its edge", "crop": "cropped at its long side"}
SHARE = 0.2  # of each class, to test on, where there are no folders train and test


def read(path, side):
    """A picture file as a grey image of Pillow, upright, and a list of words on what was done.

    side: the pixels that are wanted; a larger JPEG is read at a fraction of its size. Of 16 bits
    the upper 8 are taken, of several pictures the first; behind what is transparent lies white.
    UserError names the file and what is wrong with it.
    """
    try:
        if not os.path.getsize(path):
            raise UserError(f"{path}: is empty.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # MOST is stricter
            with Image.open(path, formats=FORMATS) as image:
                return _grey(image, path, side)
    except Image.UnidentifiedImageError as error:
        raise UserError(f"{path}: is no {', '.join(FORMATS)} picture.") from error
    except DAMAGE as error:
        reason = getattr(error, "strerror", None) or " ".join(str(error).split())[:100]
        raise UserError(f"{path}: is damaged or cannot be read ({reason}).") from error


def _grey(image, path, side):
    done, frames, mode = [], getattr(image, "n_frames", 1), image.mode
    if frames > 1:
        done.append(f"{frames} pictures in one file, the first is taken")
    large = image.width * image.height > MOST
    image.draft(None, (2 * side, 2 * side))
    if (pixels := image.width * image.height) > MOST:
        most = f"{MOST // 1_000_000} are read"
        raise UserError(f"{path}: has {pixels / 1e6:,.0f} megapixels, up to {most}: reduce it.")
    done += [f"over {MOST // 1_000_000} megapixels, read at a fraction"] * large
    if image.getexif().get(0x0112, 1) != 1:
        done.append("turned as its EXIF says")
    image = ImageOps.exif_transpose(image)
    if mode.startswith("I"):  # of a grey PNG or TIFF with 16 bits
        deep = np.asarray(image).astype(int)
        image = Image.fromarray((deep >> 8).clip(0, 255).astype(np.uint8))
        done.append("16 bits a pixel, the upper 8 are taken")
    elif mode == "F":
        raise UserError(f"{path}: holds fractions: save it with 8 bits a pixel.")
    elif image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    if mode not in ("1", "L", "LA") and not mode.startswith("I"):
        done += ["CMYK"] * (mode == "CMYK") + [COLOUR]
    return image.convert("L"), done


def fitted(image, side, fit):
    """A grey image of Pillow as uint8 (side, side), whole with a border or cropped at its middle.

    The border of `FITS` "pad" has the median grey of the image's edge.
    """
    size = (side, side)
    if fit == "crop":
        return np.asarray(ImageOps.fit(image, size))
    pixels = np.asarray(image)
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return np.asarray(ImageOps.pad(image, size, color=int(np.median(edge))))


def from_folder(folder, name, side=64, fit="pad", say=print):
    """Make the data set `name` in data/NAME from the pictures of a folder; returns its provenance.

    The folder holds one folder a class, or `train` and `test` with these below. Pictures become
    grey uint8 (side, side) by `read` and `fitted`. Where there is no `train` and `test`, a fifth of
    each class is drawn to test on, always the same one; pictures with equal pixels stay on one
    side. What cannot be read is left out and named: `say` takes these lines and a table. UserError
    for a folder, name, side or fit that cannot be, and where too little is left.
    """
    import pandas as pd

    folder = Path(folder).expanduser()
    _check(folder, name, side, fit)
    divided = (folder / "train").is_dir() and (folder / "test").is_dir()
    rows, images, told = [], [], defaultdict(list)
    for path in sorted(path for path in folder.rglob("[!.]*") if path.is_file()):
        *above, _ = path.relative_to(folder).parts
        part, label = (above + [""] * 2)[:2] if divided else ("train", (above + [""])[0])
        if not label or part not in ("train", "test") or any(word[0] in "._" for word in above):
            told["left out, in no folder of a class"].append(path)
            continue
        try:
            image, done = read(path, side)
        except UserError as error:
            say(f"  left out: {str(error).replace(f'{folder}/', '')}")
            continue
        images.append(fitted(image, side, fit))
        rows.append({"class": label, "part": part, "pixels": files.bytes_sha256(images[-1])})
        for words in done:
            told[words].append(path)
    frame = pd.DataFrame(rows, columns=["class", "part", "pixels"])
    if not divided:
        frame["part"] = _drawn(frame)
    for words, some in told.items():
        names = ", ".join(str(path.relative_to(folder)) for path in some[:3])
        say(f"  {words}: {len(some):,} files, {names}{', ...' * (len(some) > 3)}")
    return _made(frame, np.array(images), folder, name, divided, fit, say)


def _check(folder, name, side, fit):
    """UserError for what `from_folder` cannot work with."""
    if name in (*SETS, *RESERVED):
        raise UserError(f"NAME={name}: that name is taken, choose another.")
    if not re.fullmatch(r"\w[\w-]*", name):
        raise UserError(f"NAME={name}: give a name of letters, digits, - and _.")
    there, known = paths.DATA / name, copies.meta(paths.DATA / name)
    if there.exists() and not str((known or {}).get("source")).startswith("folder"):
        fault = "came from elsewhere" if known else "is no whole data set of `make data`"
        raise UserError(f"{there} {fault}: choose another NAME, or move it away.")
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}: give FROM=DIR, with one folder a class.")
    if not 8 <= side <= 512 or fit not in FITS:
        raise UserError(f"SIZE={side}, FIT={fit}: give 8 to 512 pixels, and {' or '.join(FITS)}.")


def _drawn(frame):
    """To each picture its part: a fifth of the different pictures of a class to test on."""
    rng, parts = np.random.default_rng(0), {}
    for _, pixels in frame.groupby("class")["pixels"]:
        fresh = [each for each in pixels.unique() if each not in parts]
        tested = set(rng.permutation(len(fresh))[: round(SHARE * len(fresh))].tolist())
        parts |= {each: "test" if i in tested else "train" for i, each in enumerate(fresh)}
    return frame["pixels"].map(parts)


def _made(frame, images, folder, name, divided, fit, say):
    """Say the table, and write the set; UserError where too little is left."""
    table = frame.groupby(["class", "part"]).size().unstack(fill_value=0)
    table = table.reindex(columns=["train", "test"], fill_value=0)
    table["copies"] = frame.groupby("class")["pixels"].agg(lambda each: each.duplicated().sum())
    say(table.to_string() if len(table) else f"  {folder} holds no picture in a folder of a class")
    if few := [label for label, row in table.iterrows() if row["train"] < 4 or not row["test"]]:
        raise UserError(f"{', '.join(few)[:200]}: at least 4 to train on and 1 to test on, please.")
    if not 2 <= len(table) <= 256:
        raise UserError(f"{folder} has {len(table)} classes: from 2 to 256 can be told apart.")
    labels = np.searchsorted(table.index, frame["class"]).astype(np.uint8)
    across = frame[frame["part"] == "test"]["pixels"].isin(
        frame[frame["part"] == "train"]["pixels"]
    )
    if across.any():
        say(f"  {across.sum():,} test pictures are copies of training pictures: see the audit")

    def source():
        arrays = {}
        for part in ("train", "test"):
            here = (frame["part"] == part).to_numpy()
            arrays |= {f"x_{part}": images[here], f"y_{part}": labels[here]}
        split = "folders train and test" if divided else "a fifth of each class drawn to test on"
        told = {"kind": "own", "class_names": list(table.index), "split": split, "fit": fit}
        told |= {"source": f"folder {folder.resolve().name}", "note": f"Grey, {FITS[fit]}."}
        return arrays, told

    with copies.alone(name, say):
        return copies.make(name, source, say)

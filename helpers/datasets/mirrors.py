"""A mirror: a folder with NAME.npz, the arrays of a set, and NAME.json, its record."""

import json
import re
import zipfile
from functools import cache
from pathlib import Path

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets.catalogue import SETS
from helpers.datasets.downloads import Unavailable
from helpers.store import files
from helpers.store.paths import UserError

HOW = "a folder with NAME.npz and NAME.json (data/README.md)"
FIELDS = {  # what a record may tell, and of which type
    **dict.fromkeys(("title", "licence", "citation", "split", "note", "name", "sha256"), str),
    **{"class_names": list, "image_shape": list, "train": int, "test": int, "complete": bool},
}
WORDS = {str: "a text", list: "a list", int: "a whole number", bool: "true or false"}
NOT_KEPT = ("name", "sha256", "complete")  # of its file, and not of the arrays


def record(name, mirror):
    """The mirror's NAME.json with its name and the fields of FIELDS that it tells; None where there
    is no mirror or it lacks the set. UserError for a field that cannot be."""
    if not mirror or not name:
        return None
    path, packed = (Path(mirror).expanduser() / f"{name}.{kind}" for kind in ("json", "npz"))
    if not path.parent.is_dir():
        raise UserError(f"There is no mirror folder {mirror}: give MIRROR=DIR, {HOW}.")
    if not path.exists():
        if packed.exists():
            raise UserError(f"{packed} has no record: put {name}.json beside it (data/README.md).")
        return None
    content = files.load_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} is not a JSON object: write it again (data/README.md).")
    told = {"name": name}
    for field, kind in FIELDS.items():
        value = content.get(field)
        if value is None or not str(value).strip():
            continue
        if type(value) is not kind:
            fault = f"{field} is {json.dumps(value)[:80]}"
            raise UserError(f"{path}: {fault}; it must be {WORDS[kind]}, or left out.")
        told[field] = " ".join(value.split()) if kind is str else value
    if told["name"] != name:
        fault = f'its name is "{told["name"]}", its file\'s {name}'
        raise UserError(f"{path}: {fault}. Make them the same, or leave the name out.")
    if "sha256" in told:
        told["sha256"] = told["sha256"].lower().removeprefix("sha256:")
        if not re.fullmatch("[0-9a-f]{64}", told["sha256"]):
            fault = f"sha256 is {content['sha256'][:80]!r}"
            raise UserError(f"{path}: {fault}; it must be the 64 digits that `sha256sum` prints.")
    return told


def better(offered, held):
    """Whether a mirror has the set itself instead of a substitute, or a file changed since."""
    was = held.get("mirror_sha256")
    return held["kind"] == "substitute" or was is not None and offered.get("sha256", was) != was


def held(mirror):
    """What a mirror holds, in words."""
    names = sorted(path.stem for path in Path(mirror).expanduser().glob("*.npz")) if mirror else ()
    return f"{mirror} holds {', '.join(names)[:200] or 'no .npz'}" if mirror else "no MIRROR given"


@cache
def passed_over(mirror):
    """Say, once, that a mirror is given and nothing is read there."""
    print(f"{mirror} is not read: DATA=stand-in draws all images, whatever MIRROR holds.")


def read(name, mirror, say=print):
    """The mirror's arrays, as uint8, and their provenance.

    Raises Unavailable where the mirror lacks the set. What is damaged there is a UserError, not a
    reason to ask the next source.
    """
    told = record(name, mirror)
    if told is None:
        raise Unavailable("not in the mirror" if mirror else "no mirror")
    path = Path(mirror).expanduser() / f"{name}.npz"
    if not path.is_file():
        raise UserError(f"{path} is missing, though {name}.json is there: copy it again.")
    if name in SETS and "sha256" not in told:
        raise UserError(f"{path} has no sha256 in {name}.json to check it against: copy it again.")
    megabytes = path.stat().st_size / 1e6
    say(f"{name}: unpacking {path}, {megabytes:,.0f} MB, about {megabytes / 7:.0f} s")
    seen = files.sha256(path)
    if seen != told.get("sha256", seen):
        sums = f"sha256 {seen[:12]}..., recorded is {told['sha256'][:12]}..."
        fault = f"{path} is not the file that {name}.json describes ({sums})"
        raise UserError(f"{fault}: copy it again.")
    with idx.readable(path):
        arrays = _arrays(path, say)
        if name not in SETS:
            told["class_names"] = _count_from_0(name, arrays, told.get("class_names"), say)
    own = name not in SETS and "complete" not in told  # nobody's official data
    return arrays, {
        **{key: value for key, value in told.items() if key not in NOT_KEPT},
        "kind": "own" if own else "official" if told.get("complete") else "partial",
        "source": "mirror",
        "files": {path.name: seen},
        "mirror_sha256": seen,
    }


def _arrays(path, say):
    """The arrays of an npz file; Unfit where one is missing, or images are in two scales."""
    with zipfile.ZipFile(path) as archive:
        held = [Path(member).stem for member in archive.namelist()]
        if missing := [key for key in idx.KEYS if key not in held and key[:4] != "hand"]:
            there = ", ".join(held) or "nothing"
            raise idx.Unfit(f"{', '.join(missing)} missing, there is {there}")
        read = {key: idx.read_npz(archive, key, key) for key in idx.KEYS if key in held}
    arrays, factors = {}, {}
    for key in read:
        arrays[key], factors[key] = idx.as_uint8(read[key], key, say)
    one, other = sorted(("x_train", "x_test"), key=factors.get)
    if (factors[one], factors[other]) == (1, 255):
        raise idx.Unfit(f"{other} goes to 1 and {one} beyond: give both in one scale")
    return arrays


def _count_from_0(name, arrays, names, say):
    """Make the labels of a set of one's own count from 0, in its `arrays`; its class names.

    Without `names` each label in use is a class of that name. With n of them labels from 1 to n
    are counted from 0; others stay. `say` tells, of classes without training images too.
    """
    used, tested = (np.unique(arrays[key]).tolist() for key in ("y_train", "y_test"))
    if len(used) < 2:
        fault = f"y_train holds one class only, {used[0]}"
        raise idx.Unfit(f"{fault}; a network needs two or more to tell apart")
    if not names and not set(tested) <= set(used):
        fault = f"y_test holds label {min(set(tested) - set(used))}, which no training image has"
        raise idx.Unfit(f"{fault}: name all classes in class_names, or leave it out")
    from_1 = names and min(used + tested) == 1 and max(used + tested) == len(names)
    labels = [label + bool(from_1) for label in range(len(names))] if names else used
    if labels != list(range(len(labels))):
        known = "" if names else "; a class is named by its label"
        say(f"  y: {len(labels)} labels from {labels[0]} to {labels[-1]}, here from 0 on{known}")
        for key in ("y_train", "y_test"):
            arrays[key] = np.searchsorted(labels, arrays[key]).astype(np.uint8)
    names = [str(label) for label in names or labels]
    if empty := [text for label, text in zip(labels, names) if label not in used]:
        say(f"  {name}: no training image of {', '.join(empty)[:200]}")
    return names

"""A mirror: a folder with NAME.npz, the arrays of a set, and NAME.json, its record."""

import json
import re
import zipfile
from pathlib import Path

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
    told = {"name": name} | {
        field: content[field]
        for field in FIELDS
        if content.get(field) is not None and str(content[field]).strip()
    }
    for field, value in told.items():
        if type(value) is not FIELDS[field]:
            fault = f"{field} is {json.dumps(value)[:80]}"
            raise UserError(f"{path}: {fault}; it must be {WORDS[FIELDS[field]]}, or left out.")
    told |= {"title": " ".join(told["title"].split())} if "title" in told else {}
    if told["name"] != name:
        fault = f'its name is "{told["name"]}", its file\'s {name}'
        raise UserError(f"{path}: {fault}. Make them the same, or leave the name out.")
    if "sha256" in told:
        told["sha256"] = told["sha256"].strip().lower().removeprefix("sha256:")
        if not re.fullmatch("[0-9a-f]{64}", told["sha256"]):
            fault = f"sha256 is {content['sha256'][:80]!r}"
            raise UserError(f"{path}: {fault}; it must be the 64 digits that `sha256sum` prints.")
    return told


def held(mirror):
    """What a mirror holds, in words."""
    names = sorted(path.stem for path in Path(mirror).expanduser().glob("*.npz")) if mirror else ()
    return f"{mirror} holds {', '.join(names)[:200] or 'no .npz'}" if mirror else "no MIRROR given"


def unpack(name, mirror, into, say=print):
    """Write the mirror's arrays, once they are checked, to a folder; returns their provenance.

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
        sums = f"its sha256 is {seen[:12]}..., the recorded one {told['sha256'][:12]}..."
        raise UserError(
            f"{path} is not the file that {name}.json describes ({sums}): copy it again."
        )
    with idx.readable(path), zipfile.ZipFile(path) as archive:
        held = [Path(member).stem for member in archive.namelist()]
        if missing := [key for key in idx.KEYS if key not in held and key[:4] != "hand"]:
            raise idx.Unfit(
                f"{', '.join(missing)} missing, there is {', '.join(held) or 'nothing'}"
            )
        for key in idx.KEYS:
            if key in held:
                idx.copy_npz(archive, key, into / f"{key}.npy", say)
    own = name not in SETS and "complete" not in told  # nobody's official data
    return {
        **{key: value for key, value in told.items() if key not in NOT_KEPT},
        "kind": "own" if own else "official" if told.get("complete") else "partial",
        "source": "mirror",
        "files": {path.name: seen},
        "mirror_sha256": seen,
    }

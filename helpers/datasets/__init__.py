"""Data sets as memory-mapped uint8 arrays with their provenance. `load` is what notebooks call.

A prepared copy lies in data/NAME/ (stand-ins in data/stand-in/NAME/): .npy arrays and meta.json. It
is made once, from the first source that has the set (see `_make`), and hashed before every use.
"""

import os
import re
from dataclasses import dataclass

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets import copies, mirrors, official, standins
from helpers.datasets.catalogue import OWN, RESERVED, SETS
from helpers.datasets.copies import label
from helpers.datasets.downloads import Unavailable
from helpers.datasets.folders import from_folder as from_folder
from helpers.store import paths
from helpers.store.paths import UserError

NAMES = tuple(SETS)
MODES = ("auto", "real", "stand-in")


@dataclass(frozen=True)
class Dataset:
    """Images n x height x width and labels n, uint8, memory-mapped, read-only."""

    name: str  # as asked for; meta["name"] is what is held
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    hand_train: np.ndarray | None  # 0 left, 1 right; of fingers only
    hand_test: np.ndarray | None
    meta: dict

    @property
    def image_shape(self):
        """(height, width, 1)"""
        return (*self.x_train.shape[1:], 1)

    @property
    def classes(self):
        return self.meta["classes"]

    @property
    def class_names(self):
        return self.meta["class_names"]

    @property
    def kind(self):
        """official, partial, substitute, stand-in or own"""
        return self.meta["kind"]

    @property
    def label(self):
        return label(self.meta, self.name)


def load(name, mode=None, mirror=None):
    """The data set, after its arrays' hash has been compared with meta.json; prepared if need be.

    mode: auto, real (no stand-in) or stand-in (nothing else); default $DATA or auto. mirror: a
    folder; default $MIRROR. A damaged copy is named on stdout and made again. Raises UserError as
    `prepare` does.
    """
    meta = prepare(name, mode, mirror)
    arrays, fault = copies.opened(name, meta)
    if fault:
        with copies.alone(name, print):
            meta = prepare(name, mode, mirror)
            arrays, fault = copies.opened(name, meta)  # another process may have made it again
            if fault:
                meta = _make(name, mode, mirror, print, meta["kind"], fault)
                arrays, _ = copies.opened(name, meta)
    return Dataset(name, **{key: arrays.get(key) for key in idx.KEYS}, meta=meta)


def prepared(name, mode=None, mirror=None):
    """Provenance of the copy that `load` would open; None where it has yet to be made.

    A real copy comes before a stand-in, and a mirror that has the set before a stand-in or a
    substitute. Reads json only.
    """
    mode, mirror = _settings(name, mode, mirror)
    if mode != "stand-in":
        held, offered = copies.meta(paths.DATA / name), mirrors.record(name, mirror)
        if held and not (offered and mirrors.better(offered, held)):
            return held
        nearest = mirrors.record(SETS.get(name, OWN).substitute, mirror)
        if offered or nearest or (paths.DATA / name).exists():
            return None
    drawn = copies.meta(copies.folder(name, "stand-in")) if mode != "real" else None
    return drawn if drawn and drawn.get("drawing") == standins.DRAWING else None


def prepare(name, mode=None, mirror=None, say=print):
    """Make the copy that `load` opens, if it is not there; whole or not at all. Its provenance.

    say: takes each line about what is going on. Raises UserError where a source is damaged, none
    has the set, or data/ cannot be written.
    """
    if meta := prepared(name, mode, mirror):
        return meta
    with copies.alone(name, say):
        if meta := prepared(name, mode, mirror):  # made by another process meanwhile
            return meta
        where, damaged = paths.DATA / name, ""
        if mode != "stand-in" and where.exists() and not copies.meta(where):
            copies.refuse_others(where)
            damaged = "its meta.json is missing or damaged"
        return _make(name, mode, mirror, say, damaged=damaged)


def _make(name, mode, mirror, say, kind="", damaged=""):
    """A new copy from the first source that has the set. Returns its provenance.

    damaged: what is wrong with the copy of that kind that is there.
    """
    mode, mirror = _settings(name, mode, mirror)
    if damaged:
        where = copies.folder(name, kind)
        say(f"{name}: {where} is damaged ({damaged}); it becomes {name}.damaged and is made again")
        # Real images are never quietly exchanged for drawn ones: that would be an error.
        mode = mode if kind == "stand-in" else "real"
    entry, refused = SETS.get(name, OWN), []  # why each source before has not
    sources = {  # asked in this order; each gives arrays and their provenance
        "mirror": lambda: mirrors.read(name, mirror, say),
        "official": lambda: official.read(name, entry, say, mirror=mirror),
        "substitute": lambda: _replaced(name, mirror, refused, say),
        "stand-in": lambda: _drawn(name, refused, say),
    }
    allowed = {"auto": sources, "real": list(sources)[:-1], "stand-in": ["stand-in"]}
    for source in allowed[mode]:
        try:
            return copies.make(name, sources[source], say, damaged)
        except Unavailable as reason:
            refused.append(str(reason))
    raise UserError(f"There are no real images of {name} ({', '.join(refused)}): {_remedy(name)}.")


def _replaced(name, mirror, refused, say):
    """The nearest real set, which takes the place of another."""
    other = SETS.get(name, OWN).substitute
    if not (mirrors.record(other, mirror) or other and prepared(other, "real", mirror)):
        raise Unavailable(f"no {other} to take its place" if other else "no substitute")
    say(f"{name}: {', '.join(refused)}; {other} takes its place (substitute)")
    data = load(other, "real", mirror)
    arrays = {key: getattr(data, key) for key in idx.KEYS if getattr(data, key) is not None}
    return arrays, {**data.meta, "kind": "substitute"}


def _drawn(name, refused, say):
    """A stand-in."""
    if not standins.known(name):
        raise Unavailable("no stand-in")
    note = f"These images are not {SETS[name].title}."
    say(f"{name}: {', '.join(refused) or 'as asked'}: drawing a STAND-IN. {note}")
    say(f"  For real ones: {_remedy(name)}.")
    told = {"split": "drawn by this program", "source": "helpers/datasets/standins"}
    told |= {"licence": "as this program", "citation": None, "note": note}
    return standins.draw(name), {**told, "kind": "stand-in", "drawing": standins.DRAWING}


def split(y, validation, seed, strata=None):
    """Training and validation indices (sorted) of a random split, `validation` for validation.

    Stratified by label y (n), and by strata (n) if given: each group gives its share, rounded by
    largest remainder.
    """
    if not 0 <= validation <= len(y):
        takes = f"Cannot take {validation:,} validation images out of {len(y):,}"
        raise UserError(f"{takes}: choose 0 to {len(y):,}.")
    groups = np.asarray(y, np.int64) * 256 + (0 if strata is None else np.asarray(strata, np.int64))
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    share = sizes * validation / max(len(y), 1)
    quota = np.floor(share).astype(int)
    quota[np.argsort(quota - share, kind="stable")[: validation - quota.sum()]] += 1
    order = np.random.default_rng(seed).permutation(len(y))
    held_out = np.zeros(len(y), bool)
    for number, take in enumerate(quota):
        held_out[order[group[order] == number][:take]] = True
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def _settings(name, mode, mirror):
    """Mode and mirror with their defaults, after a look at all three."""
    mode = mode or os.environ.get("DATA") or "auto"
    mirror = mirror or (str(paths.setting("MIRROR", "")) if os.environ.get("MIRROR") else None)
    if mode == "stand-in" and mirror:
        mirrors.passed_over(str(mirror))
    if mode not in MODES:
        raise UserError(f"Unknown DATA={mode}: choose {', '.join(MODES)}.")
    if name not in NAMES:
        own = re.fullmatch(r"\w[\w-]*", name) and name not in RESERVED
        there = own and ((paths.DATA / name).is_dir() or mirrors.record(name, mirror))
        if mode == "stand-in" or not there:
            fault = mirrors.held(mirror) if own else "a name has letters, digits, - and _"
            fault = "no stand-in is drawn for it" if there else fault
            choice = f"choose {', '.join(NAMES)}; or one of your own, by `make data` or MIRROR=DIR"
            raise UserError(f"Unknown data set {name!r} ({fault}): {choice}, {mirrors.HOW}.")
    return mode, mirror


def _remedy(name):
    """What to fetch and where to put it."""
    mirror, entry = f"give MIRROR=DIR with {name}.npz and {name}.json", SETS.get(name, OWN)
    if entry is OWN:
        return f"move {paths.DATA / name} away and `make data NAME={name} FROM=DIR`, or {mirror}"
    if not entry.read:
        return mirror
    place = paths.DATA / "downloads" / (entry.folder or name)
    way = f"run with DATA=real, online or after you put {entry.by_hand} into {place}"
    return f"{way}, or {mirror}"

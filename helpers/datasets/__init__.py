"""Data sets as memory-mapped uint8 arrays with their provenance. `load` is what notebooks call.

A prepared copy lies in data/NAME/ (stand-ins in data/stand-in/NAME/): .npy arrays and meta.json. It is made once, from
the first source that has the set - a mirror folder, the official files, the program's own drawing - and its hash is
compared before every use.
"""

import os
import re
from dataclasses import dataclass

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets import copies, sources
from helpers.datasets.copies import label  # noqa: F401  (label and online are part of this module's interface)
from helpers.datasets.downloads import Unavailable, online  # noqa: F401
from helpers.store import paths
from helpers.store.paths import UserError

NAMES = tuple(sources.SETS)
MODES = ("auto", "real", "stand-in")
SUBSTITUTES = {
    "kuzushiji49": "kuzushiji_kanji49"
}  # the nearest real thing, where the set itself is not to be had


@dataclass(frozen=True)
class Dataset:
    """Images n x height x width and labels n, uint8, memory-mapped, read-only; hand (0 left, 1 right) or None."""

    name: str  # as asked for; meta["name"] is what is held
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    hand_train: np.ndarray | None
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
        """official, partial, substitute or stand-in"""
        return self.meta["kind"]

    @property
    def label(self):
        return label(self.meta, self.name)


def load(name, mode=None, mirror=None):
    """The data set, after its arrays' hash has been compared with meta.json; prepared first if need be.

    mode: auto, real (no stand-in) or stand-in (nothing else); default $DATA or auto. mirror: folder; default $MIRROR.
    A damaged copy is named on stdout, moved away and made again. Raises UserError as `prepare` does.
    """
    meta = prepared(name, mode, mirror) or prepare(name, mode, mirror)
    arrays, fault = _opened(name, meta)
    if fault:
        with copies.alone(name, print):
            meta = prepared(name, mode, mirror) or meta
            arrays, fault = _opened(name, meta)  # another process may have made it again by now
            if fault:
                copies.set_aside(copies.folder(name, meta["kind"]), fault, print)
                # Real images are never quietly exchanged for drawn ones: where no source has them any more, that is an error.
                meta = prepare(name, mode if meta["kind"] == "stand-in" else "real", mirror)
                arrays = idx.open_folder(copies.folder(name, meta["kind"]))
    return Dataset(name, **{key: arrays.get(key) for key in idx.KEYS}, meta=meta)


def _opened(name, meta):
    """The arrays of the copy that meta describes, and what is wrong with them, if anything is."""
    try:
        arrays = idx.open_folder(copies.folder(name, meta["kind"]))
    except UserError as error:
        return None, str(error)
    return arrays, "" if idx.sha256(arrays) == meta[
        "sha256"
    ] else "its arrays are not the ones that meta.json describes"


def prepared(name, mode=None, mirror=None):
    """Provenance (meta.json) of the copy that `load` would open; None where it has yet to be made. Reads json only.

    A real copy comes before a stand-in, and a mirror that has the set before a stand-in or a substitute.
    """
    mode, mirror = _settings(name, mode, mirror)
    if mode != "stand-in":
        offered, held = sources.record(name, mirror), copies.meta(paths.DATA / name)
        if held and not (offered and _superseded(held, offered)):
            return held
        if offered or (paths.DATA / name).exists() or sources.record(SUBSTITUTES.get(name), mirror):
            return None
    if mode == "real":
        return None
    from helpers.datasets.standins import DRAWING

    drawn = copies.meta(copies.folder(name, "stand-in"))
    return drawn if drawn and drawn.get("drawing") == DRAWING else None


def prepare(name, mode=None, mirror=None, say=print):
    """Make the copy in data/ that `load` opens, from the first source that has the set; whole or not at all.

    Does nothing where the copy is there. say: takes each line about what is going on. Returns the provenance.
    Raises UserError where a source is damaged, none has the set, or data/ cannot be written.
    """
    if found := prepared(name, mode, mirror):
        return found
    with copies.alone(name, say):
        return prepared(name, mode, mirror) or _prepare(name, *_settings(name, mode, mirror), say)


def _prepare(name, mode, mirror, say):
    """Make the copy, alone."""
    if mode != "stand-in" and (paths.DATA / name).exists() and not copies.meta(paths.DATA / name):
        copies.set_aside(paths.DATA / name, "its meta.json is missing or damaged", say)
        mode = "real"
    reason = "as asked"
    if mode != "stand-in":
        if sources.record(name, mirror):  # a damaged file there is an error, not a reason to go on
            return copies.make(name, lambda into: sources.unpack(name, mirror, into, say), say)
        try:
            return copies.make(name, lambda into: sources.official(name, into, say=say), say)
        except Unavailable as error:
            reason = f"{'not in the mirror' if mirror else 'no mirror'}, {error}"
        other = SUBSTITUTES.get(name)
        if other and (sources.record(other, mirror) or prepared(other, "real", mirror)):
            say(f"{name}: {reason}; {other} takes its place (substitute)")
            prepare(other, "real", mirror, say)
            return copies.make(name, lambda into: _copy(load(other, "real", mirror), into), say)
    if mode == "real" or name not in sources.OFFICIAL:
        raise UserError(f"There are no real images of {name} ({reason}): {_remedy(name)}.")
    say(
        f"{name}: {reason}: drawing a STAND-IN; its images are not {sources.SETS[name]['title']}. "
        f"For real ones: {_remedy(name)}."
    )
    return copies.make(name, lambda into: sources.stand_in(name, into), say)


def split(y, validation, seed, strata=None):
    """Training and validation indices (sorted) of a random split with `validation` images in validation.

    Stratified by label y (n), and by strata (n) if given: each group gives its share, rounded by largest remainder.
    """
    if not 0 <= validation <= len(y):
        raise UserError(
            f"Cannot take {validation:,} validation images out of {len(y):,}: choose 0 to {len(y):,}."
        )
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
    if mode not in MODES:
        raise UserError(f"Unknown DATA={mode}: choose {', '.join(MODES)}.")
    if name not in NAMES:
        own = re.fullmatch(r"[A-Za-z0-9][\w-]*", name) and name not in (
            "downloads",
            "stand-in",
            "trained",
        )
        if (
            not own
            or mode == "stand-in"
            or not ((paths.DATA / name).is_dir() or sources.record(name, mirror))
        ):
            raise UserError(
                f"Unknown data set {name!r}: choose {', '.join(NAMES)}; or one of your own, NAME.npz and "
                "NAME.json in a folder given as MIRROR=DIR (data/README.md)."
            )
    return mode, mirror


def _superseded(held, offered):
    """Whether the mirror offers better than the copy: the set itself for a substitute, or a file changed since."""
    was = held.get("mirror_sha256")
    return held["kind"] == "substitute" or was is not None and offered.get("sha256", was) != was


def _copy(data, into):
    """Arrays of a data set that takes another's place, and their provenance."""
    for key in idx.KEYS:
        if (array := getattr(data, key)) is not None:
            idx.save_npy(into / f"{key}.npy", array.shape, [np.ascontiguousarray(array)])
    return {**data.meta, "kind": "substitute"}


def _remedy(name):
    """What to fetch and where to put it."""
    if name not in sources.OFFICIAL:
        return f"give MIRROR=DIR, a folder with {name}.npz and {name}.json"
    folder = sources.OFFICIAL[name][1]
    return (
        f"run with a network and DATA=real, put {sources.FILES[folder]} into {paths.DATA / 'downloads' / folder}, "
        f"or give MIRROR=DIR with {name}.npz and {name}.json"
    )

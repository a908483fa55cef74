"""Prepared copies: .npy arrays and meta.json in data/NAME/ or data/stand-in/NAME/, or nothing."""

import shutil

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets.catalogue import OWN, SETS
from helpers.store import files, locks, paths
from helpers.store.paths import UserError

MANIFEST = "meta.sha256"  # beside meta.json; the arrays are hashed whenever they are loaded
RECORDED = (
    "name title kind sha256 train test image_shape classes class_names split licence source note"
).split()


def folder(name, kind):
    """Where the copy of a set lies; stand-ins lie apart."""
    return paths.DATA / "stand-in" / name if kind == "stand-in" else paths.DATA / name


def meta(where):
    """meta.json of a prepared copy, or None where it is missing, damaged or incomplete."""
    found, manifest = files.load_json(where / "meta.json"), where / MANIFEST
    complete = isinstance(found, dict) and set(RECORDED) <= set(found)
    harmed = manifest.exists() and files.harmed(manifest)  # a copy of an earlier version has none
    return found if complete and not harmed else None


def opened(name, found):
    """The arrays that `found` (the meta of a copy) describes, and what is wrong with them."""
    try:
        arrays = idx.open_folder(folder(name, found["kind"]))
    except UserError as error:
        return {}, str(error).rstrip(".")
    right = idx.sha256(arrays) == found["sha256"]
    return arrays, "" if right else "its arrays are not the ones that meta.json describes"


def label(found, name=None):
    """Short text for figures and tables on what `found` describes. name: the set asked for."""
    title, asked = found["title"], SETS.get(name, OWN).title
    return {
        "official": title,
        "own": title,
        "partial": f"{title} (part of the official set)",
        "substitute": f"{title} (in place of {asked})",
        "stand-in": f"STAND-IN for {title}: drawn by this program",
    }[found["kind"]]


def alone(name, say):
    """The lock of a data set: one process at a time prepares it; who waited finds it there."""
    waiting = f"is preparing it in {paths.DATA}; waiting for it"
    path = paths.DATA / f".{name}.lock"
    return locks.held(path, lambda holder: say(f"{name}: {holder}, {waiting}"))


def _restore(name, old):
    """Put back a copy that a kill left under another name, unless a newer one took its place."""
    if found := meta(old):
        final = folder(name, found["kind"])
        if not final.exists():
            old.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def make(name, source, say, damaged=""):
    """Keep what source() gives, (arrays, provenance), once it is checked; the whole provenance.
    Asks for the lock `alone`.

    damaged: what is wrong with the copy that is there, which is then kept as NAME.damaged.
    """
    partial, replaced = (paths.DATA / f".{name}.{word}" for word in ("partial", "old"))
    try:
        _restore(name, replaced)
        arrays, told = source()
        found = _checked(name, told, arrays)
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        partial.mkdir(parents=True)
        for key, array in arrays.items():
            idx.save_npy(partial / f"{key}.npy", array.shape, [np.ascontiguousarray(array)])
        content = {partial / "meta.json": files.as_json(found)}
        files.save_all(content, manifest=partial / MANIFEST)
        final = folder(name, found["kind"])
        final.parent.mkdir(exist_ok=True)
        old = final.with_name(f"{name}.damaged") if damaged else replaced
        if final.exists():
            shutil.rmtree(old, ignore_errors=True)
            final.rename(old)
        partial.rename(final)
        if not damaged:
            shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        fault = f"{error.filename or paths.DATA}: {error.strerror or error}"
        way = "Free some space, or choose a folder you may write to with DATA_DIR=DIR."
        raise UserError(f"Cannot prepare {name}: {fault}. {way}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    counts = f"{found['train']:,} / {found['test']:,} images, sha256 {found['sha256'][:12]}..."
    say(f"{name}: ready: {label(found, name)}, {counts}, in {final}")
    return found


def _checked(name, told, arrays):
    """Provenance with counts and hash, once the arrays are checked against what is `told`."""
    entry = SETS.get(told.get("name", name), OWN)
    found = {"name": name, "title": name if entry is OWN else entry.title, "split": "own split"}
    found |= {"licence": entry.licence, "citation": entry.citation, "note": "", **told}
    source = ", ".join(told.get("files", {})) or f"{found['name']} ({found['kind']})"
    names = told.get("class_names") or entry.class_names
    if entry is not OWN and len(names) != len(entry.class_names):
        raise UserError(f"{source}: class_names in its record must be a list, one name a class.")
    shape = found.get("image_shape") if entry is OWN else (entry.side, entry.side)
    idx.check(arrays, source, len(names), shape)
    for part in ("train", "test"):
        count = len(arrays[f"y_{part}"])
        if found.setdefault(part, count) != count:
            promised = f"its record promises {found[part]}"
            raise UserError(f"{source}: {count:,} {part} images; {promised}.")
    return {
        **found,
        "sha256": idx.sha256(arrays),
        "image_shape": list(arrays["x_train"].shape[1:]),
        "classes": len(names),
        "class_names": [str(text) for text in names],
    }


def refuse_others(where):
    """UserError for a folder of other files, which are nobody's copy and may be the only one."""
    if not any(where.glob("*.npy")) and not (where / "meta.json").exists():
        if others := sorted(path.name for path in where.glob("[!.]*")):
            place = f"official files are read in {paths.DATA / 'downloads'} (data/README.md)"
            fault = f"{where} is for the prepared copy and holds {', '.join(others)[:200]}"
            raise UserError(f"{fault}: move that elsewhere; {place}.")

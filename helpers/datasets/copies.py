"""Prepared copies of data sets: .npy arrays and meta.json in data/NAME/ or data/stand-in/NAME/, whole or not there."""

import os
import shutil
import time

from helpers.datasets import arrays as idx
from helpers.datasets import sources
from helpers.store import files, locks, paths
from helpers.store.paths import UserError

RECORDED = (
    "name",
    "title",
    "kind",
    "sha256",
    "train",
    "test",
    "image_shape",
    "classes",
    "class_names",
    "split",
    "licence",
    "source",
    "note",
)


def folder(name, kind):
    """Where the copy of a set lies; stand-ins lie apart."""
    return paths.DATA / "stand-in" / name if kind == "stand-in" else paths.DATA / name


def meta(where):
    """meta.json of a prepared copy, or None where it is missing, damaged or incomplete."""
    found = files.load_json(where / "meta.json")
    return (
        found
        if isinstance(found, dict)
        and all(key in found for key in RECORDED)
        and files.unharmed(found)
        else None
    )


def label(found, name=None):
    """Short text for figures and tables that says what a provenance record describes. name: the set asked for."""
    title, asked = found["title"], sources.SETS.get(name, {"title": "the set asked for"})["title"]
    return {
        "official": title,
        "partial": f"{title} (part of the official set)",
        "substitute": f"{title} (in place of {asked})",
        "stand-in": f"STAND-IN for {title}: drawn by this program",
    }[found["kind"]]


def alone(name, say):
    """The lock of the data folder: sets are prepared one at a time, whoever asks, and found prepared by those who waited."""
    return locks.held(
        paths.DATA / ".lock",
        lambda holder: say(f"{name}: {holder}, is preparing data in {paths.DATA}; waiting for it"),
    )


def make(name, source, say):
    """Let source(folder) write arrays into a temporary folder; check, hash and rename it. Returns the provenance."""
    partial = paths.DATA / f".{name}.{os.getpid()}.partial"
    try:
        paths.DATA.mkdir(parents=True, exist_ok=True)
        for left in paths.DATA.glob(f".{name}.*.partial"):  # by a process that was killed
            if left == partial or time.time() - left.stat().st_mtime > 3600:
                shutil.rmtree(left)
        partial.mkdir()
        found = files.sealed(_finished(source(partial), partial))
        files.save_json(partial / "meta.json", found)
        final = folder(name, found["kind"])
        final.parent.mkdir(exist_ok=True)
        _publish(partial, final, found["sha256"])
    except OSError as error:
        raise UserError(
            f"Cannot prepare {name}: {error.filename or paths.DATA}: {error.strerror or error}. "
            "Free some space, or choose a folder you may write to with DATA_DIR=DIR."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    say(
        f"{name}: ready: {label(found, name)}, {found['train']:,} / {found['test']:,} images, "
        f"sha256 {found['sha256'][:12]}..., in {final}"
    )
    return found


def _finished(found, where):
    """Provenance with counts and hash, after the arrays have been checked against it."""
    arrays = idx.open_folder(where)
    source = ", ".join(found.get("files", {})) or f"{found['name']} ({found['kind']})"
    known = sources.SETS.get(found["name"], {})
    names = (
        found.get("class_names")
        or known.get("class_names")
        or list(range(int(arrays["y_train"].max()) + 1))
    )
    if not isinstance(names, list) or len(names) != len(known.get("class_names", names)):
        raise UserError(f"{source}: class_names in its record must be a list, one name a class.")
    idx.check(arrays, source, len(names), known.get("image_shape") or found.get("image_shape"))
    counts = {"train": len(arrays["y_train"]), "test": len(arrays["y_test"])}
    for part, count in counts.items():
        if found.get(part, count) != count:
            raise UserError(
                f"{source} holds {count:,} {part} images; its record promises {found[part]}."
            )
    return {
        **found,
        **counts,
        "sha256": idx.sha256(arrays),
        "image_shape": list(arrays["x_train"].shape[1:]),
        "classes": len(names),
        "class_names": [str(text) for text in names],
    }


def _publish(partial, final, sha256):
    """Rename the finished folder into place of what was there. Equal arrays stay: others may be reading them."""
    if (meta(final) or {}).get("sha256") == sha256:
        shutil.copy2(partial / "meta.json", final / ".meta.json.partial")
        os.replace(final / ".meta.json.partial", final / "meta.json")
        return
    old = partial.with_suffix(".old")
    if final.exists():
        os.rename(final, old)
    try:
        os.rename(partial, final)
    except OSError:
        if (meta(final) or {}).get("sha256") != sha256:
            raise
    shutil.rmtree(old, ignore_errors=True)


def set_aside(damaged, fault, say):
    """Move a damaged copy to NAME.damaged beside it, where nothing reads it."""
    aside = damaged.with_name(f"{damaged.name}.damaged")
    say(
        f"{damaged.name}: {damaged} is damaged ({fault.rstrip('.')}); moved to {aside.name}, to be made again"
    )
    shutil.rmtree(aside, ignore_errors=True)
    try:
        os.rename(damaged, aside)
    except FileNotFoundError:
        pass  # another process has moved it just now
    except OSError as error:
        raise UserError(
            f"Cannot move the damaged {damaged} away ({error.strerror}): delete it."
        ) from error

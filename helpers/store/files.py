"""Files that are whole or not there: written under a temporary name, then renamed."""

import contextlib
import hashlib
import io
import json
import os
import tempfile
from pathlib import Path

from helpers.store.paths import UserError


def save_all(contents, manifest=None, also=()):
    """Write {path: bytes}, all or none: a disk that is full leaves every file as it was.

    The bytes are on the disk before a name points to them, so that a power cut leaves the old file
    or the new one. `manifest` is the path of a file that is written last and names them
    and the files `also`, which are there already, with their SHA-256; `sha256sum -c` reads it.
    Makes the folders; UserError where one cannot be written.
    """
    if manifest:
        sums = {path: sha256(path) for path in also}
        sums |= {path: bytes_sha256(content) for path, content in contents.items()}
        folder = Path(manifest).parent
        lines = [f"{digest}  {os.path.relpath(path, folder)}\n" for path, digest in sums.items()]
        contents = {**contents, manifest: "".join(lines).encode()}
    partials = {}
    try:
        for path, content in contents.items():
            path = Path(path)
            partials[path] = path.with_name(f".{path.name}.{os.getpid()}.partial")
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(partials[path], "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        for path, partial in partials.items():
            os.replace(partial, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        for partial in partials.values():
            with contextlib.suppress(OSError):  # renamed, or never begun
                partial.unlink()


def harmed(manifest):
    """Paths that a manifest names and that are not as they were written, missing ones too.

    The manifest itself where there is none or it cannot be read; an empty list where all is well.
    """
    manifest = Path(manifest)
    try:
        lines = [line.split("  ") for line in manifest.read_text(encoding="utf-8").splitlines()]
        told = {manifest.parent / name: digest for digest, name in lines}
    except (FileNotFoundError, ValueError):
        return [manifest]
    altered = [path for path, digest in told.items() if not _is(path, digest)]
    return altered if told else [manifest]


def _is(path, digest):
    try:
        return path.is_file() and sha256(path) == digest
    except OSError:  # a manifest's damage may make a name too long
        return False


def save_bytes(path, content):
    """Write bytes atomically, as `save_all` does."""
    save_all({path: content})


def save_json(path, value):
    """Write a value as JSON, readable in a diff."""
    save_all({path: as_json(value)})


def as_json(value):
    """A value as the bytes of a JSON file; ValueError for a number that is none."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def npz(*arrays, **named):
    """The bytes of a compressed NumPy archive."""
    import numpy as np

    buffer = io.BytesIO()
    np.savez_compressed(buffer, *arrays, **named)
    return buffer.getvalue()


def load_json(path):
    """The value of a JSON file, or None where there is none or it is damaged."""
    try:
        return json.loads(Path(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None


def sha256(path):
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(content):
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def check_writable(folder):
    """Make a folder and try a file in it, before hours of work are lost; UserError if it fails."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # a name of its own: two grids may try at once
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(path, error):
    """The UserError for an OSError on writing a path."""
    return UserError(
        f"Cannot write {path}: {error.strerror or error}. Free some space or choose a folder "
        "you may write to, with OUT=DIR or DATA_DIR=DIR."
    )

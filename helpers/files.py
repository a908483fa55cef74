"""Files that are whole or not there: written under a temporary name, then renamed."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

from helpers.paths import UserError


def save_bytes(path, content):
    """Write bytes atomically; makes the folder. Raises UserError where the folder cannot be written."""
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        with contextlib.suppress(OSError):  # where there is no folder there is nothing to clear away
            partial.unlink()
        raise UserError(f"Cannot write {path}: {error.strerror or error}. Free some space or choose a folder you may write to, with OUT=DIR or DATA_DIR=DIR.") from error


def save_json(path, value):
    """Write a value as JSON, readable in a diff."""
    save_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def load_json(path):
    """The value of a JSON file, or None where there is no file or it is damaged (its owner then makes it again)."""
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
    """Make a folder and try a file in it; UserError where that cannot be done, before hours of work are lost."""
    probe = Path(folder) / ".writable"
    save_bytes(probe, b"")
    probe.unlink()

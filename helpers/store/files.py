"""Files that are whole or not there: written under a temporary name, then renamed."""

import atexit
import contextlib
import hashlib
import json
import os
import shutil
import struct
import tempfile
import zlib
from pathlib import Path

from helpers.store.paths import UserError

SEAL = "content_sha256"  # the field of a JSON object that holds the hash of the others
PNG = b"\x89PNG\r\n\x1a\n"


def save_all(contents, durable=True, manifest=None, also=()):
    """Write {path: bytes}, all or none: a disk that is full leaves every file as it was.

    Durable: the bytes are on the disk before a name points to them, so that a power cut leaves the
    old file or the new one. `manifest` is the path of a file that is written last and names them
    and the files `also`, which are there already, with their SHA-256; `sha256sum -c` reads it.
    Makes the folders; UserError where one cannot be written.
    """
    if manifest:
        sums = {path: sha256(path) for path in also}
        sums |= {path: bytes_sha256(content) for path, content in contents.items()}
        lines = [
            f"{digest}  {os.path.relpath(path, Path(manifest).parent)}\n"
            for path, digest in sums.items()
        ]
        contents = {**contents, manifest: "".join(lines).encode()}
    partials = {}
    try:
        for path, content in contents.items():
            path = Path(path)
            partials[path] = path.with_name(f".{path.name}.{os.getpid()}.partial")
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(partials[path], "wb") as file:
                file.write(content)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
        for path, partial in partials.items():
            os.replace(partial, path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        for partial in partials.values():
            with contextlib.suppress(OSError):  # renamed, or never begun
                partial.unlink()


def harmed(manifest):
    """Paths that a manifest names and that are not as they were written, missing ones too.

    The manifest itself where it cannot be read; an empty list where all is well. Raises
    FileNotFoundError where there is no manifest.
    """
    manifest = Path(manifest)
    try:
        lines = manifest.read_text(encoding="ascii").splitlines()
        told = {
            manifest.parent / name: digest for digest, name in (line.split("  ") for line in lines)
        }
    except ValueError:
        return [manifest]
    whole = [path for path, digest in told.items() if path.is_file() and sha256(path) == digest]
    return [path for path in told if path not in whole] if told else [manifest]


def save_bytes(path, content):
    """Write bytes atomically; makes the folder. Raises UserError where the folder cannot be written."""
    save_all({path: content})


def save_json(path, value, durable=True):
    """Write a value as JSON, readable in a diff."""
    save_all({path: as_json(value)}, durable)


def as_json(value):
    """A value as the bytes of a JSON file; ValueError for a number that is none."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def load_json(path):
    """The value of a JSON file, or None where there is no file or it is damaged (its owner then makes it again)."""
    try:
        return json.loads(Path(path).read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError, RecursionError):
        return None


def sealed(content):
    """A dict for JSON with the SHA-256 of the rest of it under `content_sha256`: a flipped bit is noticed where the text is still JSON."""
    rest = json.loads(
        json.dumps({key: value for key, value in content.items() if key != SEAL})
    )  # as it will be read: keys are text
    return {**rest, SEAL: bytes_sha256(json.dumps(rest, sort_keys=True).encode())}


def unharmed(content):
    """Whether a dict that was read is the one that was sealed; one without a seal passes."""
    try:
        return SEAL not in content or sealed(content)[SEAL] == content[SEAL]
    except (RecursionError, ValueError):
        return False


def sha256(path):
    """Hexadecimal SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(content):
    """Hexadecimal SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()


def png_chunks(content):
    """Type and data of each chunk of a PNG file (bytes), in order (https://www.w3.org/TR/png); ValueError at the first that is damaged."""
    content, position, kind = memoryview(content), len(PNG), b""
    if content[:position] != PNG:
        raise ValueError("no PNG file")
    while kind != b"IEND":
        if len(content) < position + 12:
            raise ValueError("cut off")
        size, kind = struct.unpack_from(">I4s", content, position)
        chunk, checksum = (
            content[position + 4 : position + 8 + size],
            content[position + 8 + size : position + 12 + size],
        )
        if len(checksum) < 4 or zlib.crc32(chunk) != struct.unpack(">I", checksum)[0]:
            raise ValueError("a wrong checksum")
        yield kind, bytes(chunk[4:])
        position += 12 + size


def whole_png(path):
    """Whether a file is a PNG file with every checksum right."""
    try:
        return bool(list(png_chunks(Path(path).read_bytes())))
    except ValueError:
        return False


def check_writable(folder):
    """Make a folder and try a file in it; UserError where that cannot be done, before hours of work are lost."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()  # a name of its own: two grids may try at once
    except OSError as error:
        raise _unwritable(folder, error) from error


def settle():
    """Point HOME to a temporary folder for this process and its children where it cannot be written: IPython and Matplotlib keep settings there."""
    if not os.access(os.environ.get("HOME") or os.path.expanduser("~"), os.W_OK):
        os.environ["HOME"] = tempfile.mkdtemp(prefix="home-")
        atexit.register(shutil.rmtree, os.environ["HOME"], ignore_errors=True)


def _unwritable(path, error):
    return UserError(
        f"Cannot write {path}: {error.strerror or error}. Free some space or choose a folder you may write to, with OUT=DIR or DATA_DIR=DIR."
    )

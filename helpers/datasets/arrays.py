"""Arrays on disk: reading IDX and npz files, writing .npy files, checking and hashing.

Everything is streamed, and a header is checked against the file before it is believed, so memory stays small whatever
a file claims.
"""

import contextlib
import errno
import gzip
import hashlib
import lzma
import math
import mmap
import struct
import tokenize
import zipfile
import zlib

import numpy as np

from helpers.store.paths import UserError

KEYS = (
    "x_train",
    "y_train",
    "x_test",
    "y_test",
    "hand_train",
    "hand_test",
)  # the order in which arrays are hashed
BLOCK = 1 << 22  # bytes read at a time
DAMAGE = (
    EOFError,
    KeyError,
    ValueError,
    TypeError,
    SyntaxError,
    RuntimeError,
    struct.error,
    tokenize.TokenError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
)  # what readers raise on a damaged file


@contextlib.contextmanager
def readable(source):
    """Turns what a damaged file makes its reader raise into one UserError that names the file."""
    try:
        yield
    except (*DAMAGE, OSError) as error:
        if (
            isinstance(error, OSError)
            and not isinstance(error, DAMAGE)
            and error.errno != errno.EINVAL
        ):  # which a damaged offset makes of a seek
            raise
        raise UserError(
            f"{source} is truncated or damaged ({' '.join(str(error).split()) or type(error).__name__}): "
            "delete it and fetch it again."
        ) from error


def _blocks(stream, count):
    """Exactly `count` bytes of a stream, block by block; EOFError where it ends before."""
    while count:
        block = stream.read(min(BLOCK, count))
        if not block:
            raise EOFError(f"{count:,} bytes are missing")
        count -= len(block)
        yield block


def save_npy(path, shape, blocks):
    """Write blocks of bytes as a uint8 array of `shape`."""
    # Plain writes: on a full disk they raise, where a memory map would kill the process.
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
        )
        for block in blocks:
            file.write(block)


def _npy_shape(stream):
    """Shape of a .npy stream, now at its first byte of data; ValueError unless it is uint8 in C order."""
    version = np.lib.format.read_magic(stream)
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = read(stream)
    if dtype != np.uint8:
        raise ValueError(f"holds {dtype}, not uint8")
    if fortran:
        raise ValueError("is in Fortran order: save np.ascontiguousarray(array)")
    if any(size < 0 for size in shape):
        raise ValueError(f"has the impossible shape {shape}")
    return shape


def copy_npz(archive, key, path):
    """Unpack one uint8 array of an open ZipFile in npz format to a .npy file, in constant memory."""
    member = archive.getinfo(f"{key}.npy")
    with archive.open(member) as stream:
        shape = _npy_shape(stream)
        if math.prod(shape) != member.file_size - stream.tell():
            raise ValueError(f"the header of {key} promises {math.prod(shape):,} bytes")
        save_npy(path, shape, _blocks(stream, math.prod(shape)))
        stream.read(1)  # past the end, where the checksum is compared


def copy_idx(stream, packed, path, image_shape=(), take=None, upright=False):
    """Write a gzip-ed IDX file of uint8 (http://yann.lecun.com/exdb/mnist) as .npy.

    stream: the packed bytes, `packed` of them. image_shape: what follows the count in the header, () for labels.
    take: read the first so many records only. upright: transpose each image (EMNIST).
    """
    with gzip.GzipFile(fileobj=stream) as file:
        magic, count = struct.unpack(">II", file.read(8))
        if magic != 0x0800 + 1 + len(image_shape):
            raise ValueError(f"is not an IDX file of {'images' if image_shape else 'labels'}")
        shape = struct.unpack(f">{len(image_shape)}I", file.read(4 * len(image_shape)))
        if shape != tuple(image_shape):
            raise ValueError(f"holds images of {shape}, not {tuple(image_shape)}")
        size = math.prod(shape)
        if count * size > 1032 * packed:  # deflate packs no tighter than 1032 to 1
            raise ValueError(f"its header promises {count:,} records, more than the file can hold")
        whole = take is None or take >= count
        count = count if whole else take
        save_npy(
            path,
            (count, *shape),
            _upright(file, count, shape) if upright else _blocks(file, count * size),
        )
        if whole and file.read(1):  # reading past the end also compares gzip's own checksum
            raise ValueError(f"goes on after the {count:,} records that its header promises")


def _upright(stream, count, shape):
    """Blocks of whole images, transposed."""
    size = math.prod(shape)
    step = max(1, BLOCK // size)
    for start in range(0, count, step):
        number = min(step, count - start)
        images = np.frombuffer(b"".join(_blocks(stream, number * size)), np.uint8).reshape(
            number, *shape
        )
        yield images.transpose(0, 2, 1).tobytes()


def open_folder(folder):
    """The .npy files of a folder as read-only memory maps {key: array}; UserError where one is missing or damaged."""
    arrays = {}
    for key in KEYS:
        path = folder / f"{key}.npy"
        if not path.exists():
            if key.startswith("hand"):
                continue
            raise UserError(f"{path} is missing.")
        with readable(path), open(path, "rb") as file:
            shape, offset = _npy_shape(file), file.tell()
            if path.stat().st_size != offset + math.prod(shape):
                raise ValueError(
                    f"{path.stat().st_size:,} bytes instead of {offset + math.prod(shape):,}"
                )
            if not math.prod(shape):
                raise ValueError("holds no records")
            arrays[key] = np.memmap(path, np.uint8, "r", offset, shape)
    return arrays


def forget(array):
    """Give back the memory in which the system holds what was read of a memory-mapped array; it is read again where it is used again."""
    if isinstance(array.base, mmap.mmap) and hasattr(array.base, "madvise"):  # not on Windows
        array.base.madvise(mmap.MADV_DONTNEED)


def sha256(arrays):
    """SHA-256 over the arrays in fixed order: name, dtype, shape, bytes. The same for the same data from any source."""
    total = hashlib.sha256()
    for key in KEYS:
        if key in arrays:
            total.update(f"{key} {arrays[key].dtype.str} {arrays[key].shape}\n".encode())
            total.update(memoryview(np.ascontiguousarray(arrays[key])).cast("B"))
    return total.hexdigest()


def check(arrays, source, classes, image_shape=None):
    """UserError, naming `source` and the array, unless x is n x h x w, y and hand are n, and 0 <= y < classes."""

    def need(condition, text):
        if not condition:
            raise UserError(f"{source}: {text}.")

    for part in ("train", "test"):
        x, y = arrays[f"x_{part}"], arrays[f"y_{part}"]
        need(x.ndim == 3, f"x_{part} has shape {x.shape}; it must be images x height x width")
        expected = tuple(image_shape or arrays["x_train"].shape[1:])
        need(
            x.shape[1:] == expected,
            f"x_{part} holds images of {x.shape[1:]}; they must be {expected}",
        )
        need(
            y.shape == x.shape[:1],
            f"y_{part} has shape {y.shape} for {len(x):,} images; it must be one an image",
        )
        need(
            y.max() < classes,
            f"y_{part} holds label {y.max()}; of {classes} classes, labels are 0 to {classes - 1}",
        )
        hand = arrays.get(f"hand_{part}")
        need((hand is None) == ("hand_train" not in arrays), "hand_train and hand_test go together")
        need(
            hand is None or hand.shape == y.shape and hand.max() < 2,
            f"hand_{part} must be 0 (left) or 1 (right) for each image",
        )

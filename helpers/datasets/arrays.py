"""Arrays on disk: reading IDX and npz files, writing .npy files, checking and hashing.

All is streamed, and a header is checked before it is believed, so that memory stays small.
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

KEYS = tuple("x_train y_train x_test y_test hand_train hand_test".split())  # as they are hashed
BLOCK = 1 << 22  # bytes read at a time
# What readers raise on a damaged file.
PACKING = (EOFError, gzip.BadGzipFile, lzma.LZMAError, zipfile.BadZipFile, zlib.error)
CONTENT = (KeyError, RuntimeError, SyntaxError, TypeError, ValueError, tokenize.TokenError)
DAMAGE = (*PACKING, *CONTENT, struct.error)


class Unfit(ValueError):
    """A sound file with something else in it than what is wanted."""


@contextlib.contextmanager
def readable(source):
    """Turns what a damaged or unfit file makes its reader raise into one UserError that names it.
    It never advises to delete the file, which may be the only copy."""
    try:
        yield
    except Unfit as error:
        raise UserError(f"{source}: {error} (data/README.md).") from error
    except (*DAMAGE, OSError) as error:
        # A damaged offset makes EINVAL of a seek; a full disk is no damage.
        if not isinstance(error, DAMAGE) and error.errno != errno.EINVAL:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        way = "put a whole copy in its place"
        raise UserError(f"{source} is truncated or damaged ({reason}): {way}.") from error


def _blocks(stream, count, size=BLOCK):
    """Exactly `count` bytes of a stream, `size` at a time; EOFError where it ends before."""
    for start in range(0, count, size):
        block = stream.read(min(size, count - start))
        if len(block) < min(size, count - start):
            raise EOFError(f"{count - start - len(block):,} bytes are missing")
        yield block


def save_npy(path, shape, blocks):
    """Write blocks of bytes as a uint8 array of `shape`."""
    # Plain writes: on a full disk they raise, where a memory map would kill the process.
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.writelines(blocks)


def _npy_header(stream):
    """Shape and type of a .npy stream in C order, which is now at its data."""
    form = np.lib.format
    version = "1_0" if form.read_magic(stream) == (1, 0) else "2_0"
    shape, fortran, dtype = getattr(form, f"read_array_header_{version}")(stream)
    if fortran and len(shape) > 1:
        raise Unfit("an array is in Fortran order: save numpy.ascontiguousarray(array)")
    if any(size < 0 for size in shape):
        raise ValueError(f"has the impossible shape {shape}")
    return shape, dtype


def copy_npz(archive, key, path, say=print):
    """Unpack an array of an open ZipFile in npz format to a uint8 .npy file, in constant memory.

    `path` is named after the array: x_ images, y_ labels, hand_. Whole numbers from 0 to 255 of any
    type are taken as they are, images from 0 to 1 scaled, which `say` tells; Unfit for all else.
    Returns the factor: 1, 255, or 0 where all is black.
    """
    member = archive.getinfo(f"{key}.npy")

    def opened(stream):
        shape, dtype = _npy_header(stream)
        if dtype.kind not in "buif":
            names = "; the classes' names go into class_names" if path.stem[0] == "y" else ""
            raise Unfit(f"{path.stem} holds {dtype}, not numbers from 0 to 255{names}")
        size = math.prod(shape) * dtype.itemsize
        if size != member.file_size - stream.tell():
            raise ValueError(f"the header of {key} promises {size:,} bytes")
        if not size:
            raise Unfit(f"{path.stem} holds no records")
        return shape, dtype, (np.frombuffer(block, dtype) for block in _blocks(stream, size))

    with archive.open(member) as stream:
        shape, dtype, blocks = opened(stream)
        factor, values = _factor(blocks, dtype, path.stem)
        told = [f"{dtype} converted to uint8"] * (dtype != np.uint8)
        if told := told + [f"{values} scaled to 0 to 255"] * (factor == 255):
            say(f"  {path.stem}: {', '.join(told)}")
    with archive.open(member) as stream:
        shape, dtype, blocks = opened(stream)
        if told:
            blocks = (np.rint(block * float(factor)).astype(np.uint8) for block in blocks)
        save_npy(path, shape, (block.tobytes() for block in blocks))
        stream.read(1)  # past the end, where the checksum is compared
    return factor


def _factor(blocks, dtype, key):
    """What to multiply numbers by to have them as uint8, 1 or 255, or 0 for images all black, and
    the values in words; Unfit where no factor keeps their meaning."""
    low, high, whole = math.inf, -math.inf, True
    for block in blocks:
        low, high = np.minimum(low, block.min()), np.maximum(high, block.max())  # keeps a NaN
        whole = whole and np.array_equal(block, np.rint(block))
        if dtype == np.uint8 and (high > 1 or key[0] != "x"):  # it fits, whatever follows
            break
    if key[0] == "x" and 0 <= low <= high <= 1:
        return 255 if high else 0, "0 and 1" if whole else "0 to 1"
    if whole and 0 <= low <= high <= 255:
        return 1, "0 to 255"
    wanted = "whole numbers from 0 to 255" + ", or fractions from 0 to 1" * (key[0] == "x")
    raise Unfit(f"{key} holds {dtype} from {low:g} to {high:g}; it must hold {wanted}")


def copy_idx(stream, packed, path, image_shape=(), take=None, upright=False):
    """Write an IDX file of uint8 (http://yann.lecun.com/exdb/mnist), gzip-ed or not, as .npy.

    stream: its bytes, `packed` of them. image_shape: what follows the count in the header,
    () for labels. take: read the first so many records only. upright: transpose each image.
    """
    zipped = stream.read(2) != b"\0\0"  # with which an unpacked one begins
    stream.seek(0)
    with gzip.GzipFile(fileobj=stream) if zipped else stream as file:
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
        blocks = _blocks(file, count * size, max(1, BLOCK // size) * size)
        if upright:
            images = (np.frombuffer(block, np.uint8).reshape(-1, *shape) for block in blocks)
            blocks = (image.transpose(0, 2, 1).tobytes() for image in images)
        save_npy(path, (count, *shape), blocks)
        if whole and file.read(1):  # reading past the end also compares gzip's own checksum
            raise ValueError(f"goes on after the {count:,} records that its header promises")


def open_folder(folder):
    """The .npy files of a folder as read-only memory maps {key: array}.

    UserError where one is missing or damaged; hand_train and hand_test need not be there.
    """
    arrays = {}
    for key in KEYS:
        path = folder / f"{key}.npy"
        if not path.exists():
            if key.startswith("hand"):
                continue
            raise UserError(f"{path} is missing.")
        with readable(path), open(path, "rb") as file:
            (shape, dtype), offset = _npy_header(file), file.tell()
            if dtype != np.uint8:
                raise Unfit(f"holds {dtype}, not uint8")
            if path.stat().st_size != offset + math.prod(shape) or not math.prod(shape):
                raise ValueError(f"holds {path.stat().st_size:,} bytes, or no records, for {shape}")
            arrays[key] = np.memmap(path, np.uint8, "r", offset, shape)
    return arrays


def forget(array):
    """Give back the memory that holds what was read of a memory-mapped array."""
    if isinstance(array.base, mmap.mmap) and hasattr(array.base, "madvise"):  # not on Windows
        array.base.madvise(mmap.MADV_DONTNEED)


def sha256(arrays):
    """SHA-256 over the arrays in fixed order: name, dtype, shape, bytes of each."""
    total = hashlib.sha256()
    for key in KEYS:
        if key in arrays:
            total.update(f"{key} {arrays[key].dtype.str} {arrays[key].shape}\n".encode())
            total.update(memoryview(np.ascontiguousarray(arrays[key])).cast("B"))
    return total.hexdigest()


def check(arrays, source, classes, image_shape=None):
    """UserError that names `source`, unless x is n x h x w, y and hand n, and 0 <= y < classes."""
    expected = tuple(image_shape or arrays["x_train"].shape[1:])
    for part in ("train", "test"):
        x, y, hand = (arrays.get(f"{key}_{part}") for key in ("x", "y", "hand"))
        if x.ndim != 3:
            fault = f"x_{part} has shape {x.shape}; it must be images x height x width"
        elif x.shape[1:] != expected:
            fault = f"x_{part} holds images of {x.shape[1:]}; they must be {expected}"
        elif y.shape != x.shape[:1]:
            fault = f"y_{part} has shape {y.shape} for {len(x):,} images"
        elif y.max() >= classes:
            fault = f"y_{part} holds label {y.max()} of {classes} classes, counted from 0"
        elif (hand is None) != ("hand_train" not in arrays):
            fault = "hand_train and hand_test go together"
        elif hand is not None and (hand.shape != y.shape or hand.max() > 1):
            fault = f"hand_{part} must be 0 (left) or 1 (right) for each image"
        else:
            continue
        raise UserError(f"{source}: {fault}.")

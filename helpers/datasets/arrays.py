"""Arrays: read from IDX and npz files, made uint8, checked, hashed, kept as files of their own.

Memory is taken for what a file holds, never for what its header promises.
"""

import contextlib
import errno
import gzip
import hashlib
import mmap
import struct

import numpy as np

from helpers.store.paths import UserError

KEYS = tuple("x_train y_train x_test y_test hand_train hand_test".split())  # as they are hashed


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
    except Exception as error:  # readers of many kinds raise many
        # A damaged offset makes EINVAL of a seek, bytes that are no gzip an error without number; a
        # full disk is no damage.
        harmed = not isinstance(error, OSError) or error.errno in (None, errno.EINVAL)
        if isinstance(error, (UserError, MemoryError)) or not harmed:
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        way = "put a whole copy in its place"
        raise UserError(f"{source} is truncated or damaged ({reason}): {way}.") from error


def read_idx(content, images):
    """The array of an IDX file of uint8 (http://yann.lecun.com/exdb/mnist), gzip-ed or not.

    content: its bytes. images: whether it holds those, n x 28 x 28, or labels, n.
    """
    if content[:2] != b"\0\0":  # with which an unpacked one begins
        content = gzip.decompress(content)
    magic, count, *shape = struct.unpack_from(">4I" if images else ">2I", content)
    if magic != 0x0801 + len(shape):
        raise ValueError(f"is not an IDX file of {'images' if images else 'labels'}")
    if images and shape != [28, 28]:
        raise ValueError(f"holds images of {shape}, not 28 x 28")
    return np.frombuffer(content, np.uint8, offset=8 + 4 * len(shape)).reshape(count, *shape)


def read_npz(archive, key, name):
    """An array of an open ZipFile in npz format; Unfit where it holds no numbers. name: of what."""
    form = np.lib.format
    with archive.open(f"{key}.npy") as stream:
        first = form.read_magic(stream) == (1, 0)
        header = form.read_array_header_1_0 if first else form.read_array_header_2_0
        shape, fortran, dtype = header(stream)
        if dtype.kind not in "buif":
            names = "; the classes' names go into class_names" if name[0] == "y" else ""
            raise Unfit(f"{name} holds {dtype}, not numbers from 0 to 255{names}")
        flat = np.frombuffer(stream.read(), dtype)  # at its end the checksum is compared
    if not flat.size:
        raise Unfit(f"{name} holds no records")
    return flat.reshape(shape, order="F" if fortran else "C")


def as_uint8(array, name, say=print):
    """Numbers as uint8, and what they were multiplied by: 1, 255, or 0 where all is black.

    name: x_ for images, y_ labels, hand_. Whole numbers from 0 to 255 of any type stay as they are,
    images from 0 to 1 are scaled, which `say` tells; Unfit for all else.
    """
    low, high, image = array.min(), array.max(), name[0] == "x"
    whole = array.dtype.kind in "bui" or np.array_equal(array, np.rint(array))
    if image and 0 <= low and high <= 1:
        factor = 255 if high else 0
    elif whole and 0 <= low and high <= 255:
        factor = 1
    else:
        wanted = "whole numbers from 0 to 255" + ", or fractions from 0 to 1" * image
        fault = f"{name} holds {array.dtype} from {low:g} to {high:g}"
        raise Unfit(f"{fault}; it must hold {wanted}")
    told = [f"{array.dtype} converted to uint8"] * (array.dtype != np.uint8)
    told += [f"{'0 and 1' if whole else '0 to 1'} scaled to 0 to 255"] * (factor == 255)
    if told:
        say(f"  {name}: {', '.join(told)}")
        array = np.rint(array * float(factor)).astype(np.uint8)
    return array, factor


def save_npy(path, shape, blocks):
    """Write blocks of bytes as a uint8 array of `shape`."""
    # Plain writes: on a full disk they say so, where np.save counts and a memory map is killed.
    header = {"descr": "|u1", "fortran_order": False, "shape": tuple(shape)}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        file.writelines(blocks)


def open_folder(folder):
    """The .npy files of a folder as read-only memory maps {key: array}.

    UserError where one is missing or damaged; hand_train and hand_test need not be there.
    """
    arrays = {}
    for key in KEYS:
        path = folder / f"{key}.npy"
        if path.exists():
            with readable(path):
                arrays[key] = np.load(path, mmap_mode="r", allow_pickle=False)
                if arrays[key].dtype != np.uint8:
                    raise Unfit(f"holds {arrays[key].dtype}, not uint8")
        elif not key.startswith("hand"):
            raise UserError(f"{path} is missing.")
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

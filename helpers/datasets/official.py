"""Readers of the official files, one a publisher: fetch, check, read into arrays.

Each takes the set's name, the folder where downloads are kept, the official files {file name:
(address, bytes, checksum)} and `say`; returns the arrays, and {file name: path} as used.
"""

import os
import re
import zipfile
from pathlib import Path

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets.downloads import Unavailable, fetch, online
from helpers.store import files, locks, paths
from helpers.store.paths import UserError

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}
# MD5 sums of the same four files unpacked, in this order; the registered ones are of the packed.
UNPACKED = {
    "mnist": (
        *("md5:6bbc9ace898e44ae57da46a324031adb", "md5:a25bea736e30d166cdddb491f175f624"),
        *("md5:2646ac647ad5339dbf082846283269ea", "md5:27ae3e4e09519cfbb04c329615203637"),
    ),
    "fashion_mnist": (
        *("md5:f4a8712d7a061bf5bd6d2ca38dc4d50a", "md5:9018921c3c673c538a1fc5bad174d6f9"),
        *("md5:8181f5470baa50b63fa0f6fddb340f0a", "md5:15d484375f8d13e6eb1aabb0c3f46965"),
    ),
}
K49 = "http://codh.rois.ac.jp/kmnist/dataset/k49/"
# In the order of the arrays. The publisher names no checksums: these are the MD5 sums that several
# independent loaders register.
K49_FILES = {
    "k49-train-imgs.npz": "md5:7ac088b20481cf51dcd01ceaab89d821",
    "k49-train-labels.npz": "md5:44a8e1b893f81e63ff38d73cad420f7a",
    "k49-test-imgs.npz": "md5:d352e201d846ce6b94f42c990966f374",
    "k49-test-labels.npz": "md5:4da6f7a62e67a832d5eb1bd85c5ee448",
}
K49_URLS = {file: (K49 + file, None, md5) for file, md5 in K49_FILES.items()}
FINGERS = "koryakinp/fingers"  # on Kaggle, which names no checksum
FINGER_FILE = re.compile(r"(?:^|/)(train|test)/([^/]+_([0-5])([LR])\.png)$")


def read(name, entry, say=print, urls=None, mirror=None):
    """The arrays of an `entry` of the catalogue, and their provenance.

    Its files were put by hand into data/downloads/, downloaded before, or are downloaded now, from
    `urls` if given; such as lie in another place, or in the `mirror`, are named. Raises Unavailable
    where they cannot be had now, UserError where one put there by hand is wrong or a class missing.
    """
    if not entry.read:
        raise Unavailable("no official files")
    folder = paths.DATA / "downloads" / (entry.folder or name)
    looks = next(word for word in entry.by_hand.split() if "." in word).removesuffix(".gz")
    for place in filter(None, (paths.DATA, folder.parent, mirror)):
        found = [path.name for path in Path(place).expanduser().glob(f"{looks}*") if path.is_file()]
        if found:
            there = ", ".join(sorted(found))[:200]
            say(f"{name}: not read in {place}: {there}; such files are read in {folder}")
    if urls is None and not (folder.is_dir() and any(folder.iterdir())) and not online():
        raise Unavailable("no network")
    folder.mkdir(parents=True, exist_ok=True)
    say(f"{name}: official files of {entry.title}, in {folder}")
    shared = paths.DATA / f".{folder.name}.lock"  # EMNIST's sets are read from one archive
    with locks.held(shared, lambda holder: say(f"{name}: {holder}, is at its files; waiting")):
        arrays, used = entry.read(name, folder, urls or entry.urls(), say)
    for part in ("train", "test"):
        if absent := set(range(len(entry.class_names))) - set(arrays[f"y_{part}"].tolist()):
            fault = f"The files of {name} in {folder} hold no {part} image of class {min(absent)}"
            raise UserError(f"{fault}: put the official ones in their place.")
    whole = [len(arrays["y_train"]), len(arrays["y_test"])] == [entry.train, entry.test]
    return arrays, {
        "kind": "official" if whole else "partial",
        "split": "official" if whole else f"part of {entry.train:,} / {entry.test:,} images",
        "note": entry.note,
        "source": "official files",
        "files": {file: files.sha256(path) for file, path in used.items()},
    }


def mnist(name, folder, urls, say):
    """MNIST and Fashion-MNIST: four IDX files, gzip-ed; those put there by hand may be unpacked."""
    used = fetch(folder, urls, say, dict(zip(IDX_FILES.values(), UNPACKED[name])))
    arrays = {}
    for key, file in IDX_FILES.items():
        with idx.readable(used[file]):
            arrays[key] = idx.read_idx(used[file].read_bytes(), images=key[0] == "x")
    return arrays, used


def emnist(name, folder, urls, say):
    """The EMNIST partitions: gzip-ed IDX files in one zip archive, each image transposed.

    Here they are turned upright. Letters is read as TensorFlow Datasets reads it: the first 88,800
    and 14,800 records, labels 1 to 26, here 0 to 25.
    """
    used = fetch(folder, urls, say)
    path, partition = used["gzip.zip"], name.removeprefix("emnist_")
    say(f"  reading {partition} from the archive")
    arrays = {}
    with idx.readable(path), zipfile.ZipFile(path) as archive:
        for key in IDX_FILES:
            part, kind = key[2:], "images-idx3" if key[0] == "x" else "labels-idx1"
            content = archive.read(f"gzip/emnist-{partition}-{part}-{kind}-ubyte.gz")
            array = idx.read_idx(content, images=key[0] == "x")
            if partition == "letters":
                array = array[: {"train": 88_800, "test": 14_800}[part]]
            arrays[key] = array.swapaxes(1, 2) if key[0] == "x" else array
    for key in ("y_train", "y_test") if partition == "letters" else ():
        if not arrays[key].all():
            fault = f"{path} counts from 1, yet a label is 0"
            raise UserError(f"{fault}: put the official file in its place.")
        arrays[key] = arrays[key] - np.uint8(1)
    return arrays, used


def kuzushiji(name, folder, urls, say):
    """Kuzushiji-49: four npz files, each of one array `arr_0`."""
    used, arrays = fetch(folder, urls, say), {}
    for key, file in zip(idx.KEYS, K49_FILES):
        with idx.readable(used[file]), zipfile.ZipFile(used[file]) as archive:
            arrays[key], _ = idx.as_uint8(idx.read_npz(archive, "arr_0", key), key, say)
    return arrays, used


def fingers(name, folder, urls, say):
    """Fingers: PNG files train/..._3L.png (three fingers, left hand), by hand or from Kaggle."""
    for path in (folder / "fingers.zip", folder / "archive.zip"):
        if path.is_file():
            size = path.stat().st_size / 1e6
            say(f"  {path.name}: put there by hand, {size:,.1f} MB; no checksum is known")
            with idx.readable(path), zipfile.ZipFile(path) as archive:
                return _hands(archive.namelist(), archive.open, path, say), {path.name: path}
    unpacked = [path for path in folder.rglob("train") if "kaggle.tmp." not in str(path)]
    kept = unpacked[0].parent if unpacked else folder / "kaggle"
    if not kept.is_dir():
        _kaggle(folder, kept, say)
    pictures = [path.relative_to(kept).as_posix() for path in kept.rglob("*.png")]
    with idx.readable(kept):
        return _hands(pictures, lambda file: open(kept / file, "rb"), kept, say), {}


def _kaggle(folder, kept, say):
    """Download by kagglehub, with the user's Kaggle credentials if it asks for them."""
    if not online():
        raise Unavailable("no network")
    say(f"  downloading {FINGERS} from Kaggle")
    partial = folder / f"kaggle.tmp.{os.getpid()}"
    try:
        import kagglehub

        kagglehub.dataset_download(FINGERS, output_dir=str(partial))
    except Exception as error:  # no package, no credentials, no answer: the next source is asked
        raise Unavailable(f"Kaggle gave nothing ({' '.join(str(error).split())[:200]})") from error
    partial.rename(kept)


def _hands(pictures, opened, source, say):
    """Arrays from PNG files, in the order of their names; one that is there twice counts once."""
    rows = {"train": {}, "test": {}}
    for file in sorted(pictures):
        if match := FINGER_FILE.search(file):
            part, name, count, hand = match.groups()
            rows[part].setdefault(name, (file, int(count), "LR".index(hand)))
    if not (rows["train"] and rows["test"]):
        fault = f"{source} lacks train/..._3L.png or test/..._3L.png: it is not the Fingers archive"
        raise UserError(f"{fault}; put that in its place.")
    total, arrays = len(rows["train"]) + len(rows["test"]), {}
    say(f"  reading {total:,} PNG files, about {total / 2000:.0f} s, only this once")
    for part in rows:
        names, *labels = zip(*rows[part].values())
        arrays[f"x_{part}"] = np.stack([_pixels(file, opened, source) for file in names])
        arrays[f"y_{part}"], arrays[f"hand_{part}"] = np.array(labels, np.uint8)
    return arrays


def _pixels(file, opened, source):
    from PIL import Image

    with idx.readable(f"{source}, {file}"), opened(file) as stream:
        with Image.open(stream, formats=["PNG"]) as image:
            if image.size != (128, 128):  # known from its header, before anything is unpacked
                raise ValueError(f"it is {image.size}, not 128 x 128")
            return np.asarray(image.convert("L"))

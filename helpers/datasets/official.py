"""Readers of the official files, one function a publisher: fetch, check, write as .npy arrays. No TFRecord in between.

Each takes the set's name, the folder where downloads are kept, the folder to write into, other addresses than the
registered ones ({file name: (address, bytes, checksum)}, for a server of one's own) and `say`; it returns the files
used, {file name: path}.
"""

import os
import re
import zipfile

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets.downloads import Unavailable, fetch, online, registered
from helpers.store.paths import UserError

IDX_FILES = {
    "x_train": "train-images-idx3-ubyte.gz",
    "y_train": "train-labels-idx1-ubyte.gz",
    "x_test": "t10k-images-idx3-ubyte.gz",
    "y_test": "t10k-labels-idx1-ubyte.gz",
}
K49_URL = "http://codh.rois.ac.jp/kmnist/dataset/k49/"
# The publisher names no checksums. These MD5 sums are the ones that several independent loaders register.
K49_FILES = {
    "x_train": ("k49-train-imgs.npz", "7ac088b20481cf51dcd01ceaab89d821"),
    "y_train": ("k49-train-labels.npz", "44a8e1b893f81e63ff38d73cad420f7a"),
    "x_test": ("k49-test-imgs.npz", "d352e201d846ce6b94f42c990966f374"),
    "y_test": ("k49-test-labels.npz", "4da6f7a62e67a832d5eb1bd85c5ee448"),
}
FINGERS = "koryakinp/fingers"  # on Kaggle, which names no checksum
FINGER_FILE = re.compile(r"(?:^|/)(train|test)/([^/]+_([0-5])([LR])\.png)$")


def mnist(name, folder, into, urls, say):
    """MNIST and Fashion-MNIST: four gzip-ed IDX files."""
    used = fetch(
        folder, urls or registered({"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}[name]), say
    )
    for key, file in IDX_FILES.items():
        with idx.readable(used[file]), open(used[file], "rb") as stream:
            idx.copy_idx(
                stream,
                used[file].stat().st_size,
                into / f"{key}.npy",
                (28, 28) if key[0] == "x" else (),
            )
    return used


def emnist(name, folder, into, urls, say):
    """The EMNIST partitions: gzip-ed IDX files in one zip archive, each image transposed; here they are turned upright.

    Letters is read as TensorFlow Datasets reads it: the first 88,800 and 14,800 records, labels 1 to 26, here 0 to 25.
    """
    used = fetch(folder, urls or registered("EMNIST"), say)
    path = used["gzip.zip"]
    partition = name.removeprefix("emnist_")
    take = {"train": 88_800, "test": 14_800} if partition == "letters" else {}
    say(f"  reading {partition} from the archive")
    with idx.readable(path), zipfile.ZipFile(path) as archive:
        for key in IDX_FILES:
            images, part = key[0] == "x", key[2:]
            kind = "images-idx3" if images else "labels-idx1"
            member = archive.getinfo(f"gzip/emnist-{partition}-{part}-{kind}-ubyte.gz")
            with archive.open(member) as stream:
                idx.copy_idx(
                    stream,
                    member.file_size,
                    into / f"{key}.npy",
                    (28, 28) if images else (),
                    take.get(part),
                    upright=images,
                )
    if partition == "letters":
        for part in ("train", "test"):
            labels = np.load(into / f"y_{part}.npy", allow_pickle=False)
            if labels.min() < 1:
                raise UserError(
                    f"{path}: EMNIST Letters counts from 1, yet a label is 0: delete it, fetch it again."
                )
            np.save(into / f"y_{part}.npy", labels - np.uint8(1))
    return used


def kuzushiji(name, folder, into, urls, say):
    """Kuzushiji-49: four npz files, each of one array `arr_0`."""
    used = fetch(
        folder, urls or {file: (K49_URL + file, None, md5) for file, md5 in K49_FILES.values()}, say
    )
    for key, (file, _) in K49_FILES.items():
        with idx.readable(used[file]), zipfile.ZipFile(used[file]) as archive:
            idx.copy_npz(archive, "arr_0", into / f"{key}.npy")
    return used


def fingers(name, folder, into, urls, say):
    """Fingers: PNG files train/..._3L.png (three fingers, left hand), from an archive put by hand or by kagglehub."""
    for path in (folder / "fingers.zip", folder / "archive.zip"):
        if path.is_file():
            say(
                f"  {path.name}: put there by hand, {path.stat().st_size / 1e6:,.1f} MB; no checksum is known"
            )
            with idx.readable(path), zipfile.ZipFile(path) as archive:
                members = {
                    member.filename: member
                    for member in archive.infolist()
                    if member.file_size < 1_000_000
                }
                _write_hands(members, lambda file: archive.open(members[file]), path, into, say)
            return {path.name: path}
    kept = folder / "kaggle"
    if not kept.is_dir():
        _kaggle(folder, kept, say)
    pictures = {path.relative_to(kept).as_posix(): path for path in kept.rglob("*.png")}
    with idx.readable(kept):
        _write_hands(pictures, lambda file: open(pictures[file], "rb"), kept, into, say)
    return {}


def _kaggle(folder, kept, say):
    """Download through kagglehub under a temporary name, with the user's Kaggle credentials if it asks for them."""
    if not online():
        raise Unavailable("no network")
    say(f"  downloading {FINGERS} from Kaggle")
    partial = folder / f"kaggle.tmp.{os.getpid()}"
    try:
        import kagglehub

        kagglehub.dataset_download(FINGERS, output_dir=str(partial))
    except (
        Exception
    ) as error:  # no package, no credentials, no answer: whatever it is, the next source is asked
        raise Unavailable(f"Kaggle gave nothing ({' '.join(str(error).split())[:200]})") from error
    partial.rename(kept)


def _write_hands(files, opened, source, into, say):
    """Arrays from 128x128 grey PNG files, in the order of their names; one that is there twice counts once."""
    from PIL import Image

    found = {}
    for file in sorted(files):
        if match := FINGER_FILE.search(file):
            part, name, count, hand = match.groups()
            found.setdefault((part, name), (file, int(count), "LR".index(hand)))
    say(f"  reading {len(found):,} PNG files, about {len(found) / 2000:.0f} s, only this once")

    def pixels(file):
        try:
            with opened(file) as stream, Image.open(stream, formats=["PNG"]) as image:
                if image.size == (128, 128):  # known from its header, before anything is unpacked
                    return image.convert("L").tobytes()
        except (OSError, Image.DecompressionBombError) as error:
            raise ValueError(f"{file}: {error}") from error
        raise ValueError(f"{file} is {image.size}, not 128 x 128")

    for part in ("train", "test"):
        rows = [row for (where, _), row in found.items() if where == part]
        if not rows:
            raise UserError(
                f"{source} holds no {part}/..._3L.png files, so it is not the Fingers archive: delete it "
                "and fetch it again."
            )
        idx.save_npy(
            into / f"x_{part}.npy", (len(rows), 128, 128), (pixels(file) for file, _, _ in rows)
        )
        np.save(into / f"y_{part}.npy", np.array([count for _, count, _ in rows], np.uint8))
        np.save(into / f"hand_{part}.npy", np.array([hand for _, _, hand in rows], np.uint8))

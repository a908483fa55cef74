"""Where images come from: a mirror folder, the official source, or the program's own drawing.

`unpack`, `official` and `stand_in` each write .npy arrays into a folder and return their provenance; `copies` checks,
hashes and keeps them.
"""

import zipfile
from pathlib import Path

import numpy as np

from helpers.datasets import arrays as idx
from helpers.datasets import downloads
from helpers.datasets import official as readers
from helpers.datasets.downloads import Unavailable
from helpers.store import files, paths
from helpers.store.paths import UserError

LETTERS = [chr(code) for code in range(ord("A"), ord("Z") + 1)]
DIGITS = [str(digit) for digit in range(10)]
MERGED = (
    DIGITS + LETTERS + list("abdefghnqrt")
)  # ByMerge, Balanced: lower case only where its shape is another
KANA = list(
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほ"
    "まみむめもやゆよらりるれろわゐゑをんゝ"
)
NIST, CODH = "public domain (NIST)", "CC BY-SA 4.0 (CODH, ROIS-DS)"


def _facts(title, licence, citation, class_names, train, test, side=28):
    return {
        "title": title,
        "licence": licence,
        "citation": citation,
        "class_names": class_names,
        "train": train,
        "test": test,
        "image_shape": [side, side],
    }


# What each set is, with the counts of its official split.
SETS = {
    "mnist": _facts("MNIST", "CC BY-SA 3.0", "lecun2010mnist", DIGITS, 60_000, 10_000),
    "fashion_mnist": _facts(
        "Fashion-MNIST",
        "MIT",
        "xiao2017fashion",
        [
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ],
        60_000,
        10_000,
    ),
    "emnist_letters": _facts("EMNIST Letters", NIST, "cohen2017emnist", LETTERS, 88_800, 14_800),
    "emnist_balanced": _facts("EMNIST Balanced", NIST, "cohen2017emnist", MERGED, 112_800, 18_800),
    "emnist_bymerge": _facts("EMNIST ByMerge", NIST, "cohen2017emnist", MERGED, 697_932, 116_323),
    "kuzushiji49": _facts("Kuzushiji-49", CODH, "clanuwat2018kuzushiji", KANA, 232_365, 38_547),
    "kuzushiji_kanji49": _facts(
        "Kuzushiji-Kanji, 49 most frequent classes",
        CODH,
        "clanuwat2018kuzushiji",
        [f"kanji {index}" for index in range(49)],
        None,
        None,
    ),  # no official split
    "fingers": _facts(
        "Fingers", "see its Kaggle page", "koryakin2019fingers", DIGITS[:6], 18_000, 3_600, side=128
    ),
}

# Reader, and folder below data/downloads/ where its files are kept and looked for. EMNIST's partitions share one.
OFFICIAL = {
    "mnist": (readers.mnist, "mnist"),
    "fashion_mnist": (readers.mnist, "fashion_mnist"),
    "emnist_letters": (readers.emnist, "emnist"),
    "emnist_balanced": (readers.emnist, "emnist"),
    "emnist_bymerge": (readers.emnist, "emnist"),
    "kuzushiji49": (readers.kuzushiji, "kuzushiji49"),
    "fingers": (readers.fingers, "fingers"),
}
FILES = {
    "mnist": "the four *-ubyte.gz files",
    "fashion_mnist": "the four *-ubyte.gz files",
    "emnist": "gzip.zip",
    "kuzushiji49": "the four k49-*.npz files",
    "fingers": "fingers.zip",
}


def record(name, mirror):
    """The mirror's NAME.json, or None where there is no mirror or it does not hold the set. Reads json only."""
    if not mirror or not name:
        return None
    folder = Path(mirror).expanduser()
    if not folder.is_dir():
        raise UserError(
            f"There is no mirror folder {mirror}: give MIRROR=DIR, a folder with NAME.npz and NAME.json "
            "(data/README.md)."
        )
    path = folder / f"{name}.json"
    if not path.exists():
        if path.with_suffix(".npz").exists():
            raise UserError(
                f"{path.with_suffix('.npz')} has no record: put {name}.json beside it (data/README.md)."
            )
        return None
    found = files.load_json(path)
    if not isinstance(found, dict):
        raise UserError(f"{path} is not a JSON object: write it again (data/README.md).")
    return found


def unpack(name, mirror, into, say=print):
    """Arrays of the mirror's NAME.npz, after its checksum."""
    found, path = record(name, mirror), Path(mirror).expanduser() / f"{name}.npz"
    if not path.is_file():
        raise UserError(f"{path} is missing, though {name}.json is there: copy it again.")
    if name in SETS and "sha256" not in found:
        raise UserError(
            f"{path.with_suffix('.json')} has no sha256 to check {path.name} against: copy it again."
        )
    megabytes = path.stat().st_size / 1e6
    slow = f", about {megabytes / 7:.0f} s, only this once" if megabytes > 30 else ""
    say(f"{name}: unpacking {path}, {megabytes:,.0f} MB{slow}")
    seen = files.sha256(path)
    if seen != found.get("sha256", seen):
        raise UserError(
            f"{path} is not the file that {name}.json describes (its sha256 is {seen[:12]}..., "
            f"the recorded one {str(found['sha256'])[:12]}...): copy it again."
        )
    with idx.readable(path), zipfile.ZipFile(path) as archive:
        for key in idx.KEYS:
            if not key.startswith("hand") or f"{key}.npy" in archive.namelist():
                idx.copy_npz(archive, key, into / f"{key}.npy")
    complete = found.get(
        "complete", name not in SETS
    )  # a set of one's own is whole unless its record says otherwise
    facts = {
        "title": name,
        "licence": "not stated",
        "citation": None,
        "split": "own split",
        "note": "",
    }
    facts |= {key: SETS[name][key] for key in ("title", "licence", "citation") if name in SETS}
    facts |= {
        key: found[key]
        for key in (*facts, "class_names", "train", "test", "image_shape")
        if key in found
    }
    return {
        **facts,
        "name": name,
        "kind": "official" if complete else "partial",
        "source": "mirror",
        "files": {path.name: seen},
        "mirror_sha256": seen,
    }


def official(name, into, urls=None, say=print):
    """Arrays of the official files, put by hand into data/downloads/, downloaded before, or downloaded now.

    urls: {file name: (address, bytes, checksum)} instead of the registered ones. Raises Unavailable where they cannot
    be had now, UserError where a file put there by hand is wrong or a class is missing.
    """
    if name not in OFFICIAL:
        raise Unavailable(f"{name} has no official file")
    reader, folder = OFFICIAL[name][0], paths.DATA / "downloads" / OFFICIAL[name][1]
    if urls is None and not (folder.is_dir() and any(folder.iterdir())) and not downloads.online():
        raise Unavailable("no network")
    folder.mkdir(parents=True, exist_ok=True)
    facts = SETS[name]
    say(f"{name}: official files of {facts['title']}, in {folder}")
    used = reader(name, folder, into, urls, say)
    labels = {
        part: np.load(into / f"y_{part}.npy", allow_pickle=False) for part in ("train", "test")
    }
    for part, y in labels.items():
        if absent := set(range(len(facts["class_names"]))) - set(y.tolist()):
            raise UserError(
                f"The files of {name} in {folder} hold no {part} image of class {min(absent)}: "
                "delete them and fetch them again."
            )
    train, test = len(labels["train"]), len(labels["test"])
    whole = (train, test) == (facts["train"], facts["test"])
    split = (
        f"{train:,} of the official {facts['train']:,} training images, {test:,} of {facts['test']:,} test images",
        "official",
    )[whole]
    note = (
        "Images upright (the official files are transposed)." if name.startswith("emnist") else ""
    )
    return {
        **facts,
        "name": name,
        "kind": "official" if whole else "partial",
        "split": split,
        "train": train,
        "test": test,
        "note": note,
        "source": "official files",
        "files": {file: files.sha256(path) for file, path in used.items()},
    }


def stand_in(name, into):
    """Images drawn by the program itself: the shape and classes of the set, deterministic."""
    from helpers.datasets import standins

    arrays = standins.draw(name)
    for key, array in arrays.items():
        np.save(into / f"{key}.npy", array)
    return {
        "name": name,
        "title": SETS[name]["title"],
        "kind": "stand-in",
        "split": "drawn by this program",
        "source": "drawn by this program",
        "licence": "as this program",
        "citation": None,
        "class_names": standins.class_names(name),
        "drawing": standins.DRAWING,
        "note": f"These images are not {SETS[name]['title']}.",
    }

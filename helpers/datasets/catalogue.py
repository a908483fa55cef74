"""The data sets: what each is, where its official files come from. Add new ones here alone."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from helpers.datasets import official
from helpers.datasets.downloads import registered

DIGITS = list("0123456789")
LETTERS = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
MERGED = DIGITS + LETTERS + list("abdefghnqrt")  # lower case only where its shape is another
CLOTHES = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(",")
# In the order of the sounds, a point where ya and wa have gaps.
SOUNDS = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほ"
SOUNDS += "まみむめもや.ゆ.よらりるれろわゐ.ゑをん"
KANA = list(SOUNDS.replace(".", "") + "ゝ")


@dataclass(frozen=True)
class Entry:
    """A data set, with the counts of its official split (None: it has none)."""

    title: str
    class_names: list
    train: int | None = None
    test: int | None = None
    licence: str = "not stated"
    citation: str | None = None  # a key of the report's bibliography
    side: int = 28  # of its images, in pixels
    note: str = ""  # on its official files
    read: Callable | None = None  # a reader of `official`; None: there are no official files
    urls: Callable = dict  # gives the official files {file name: (address, bytes, checksum)}
    folder: str = ""  # below data/downloads/, where they are kept and looked for; "": its name
    by_hand: str = ""  # what to put there
    substitute: str = ""  # the nearest real thing, where the set itself is not to be had


IDX = dict(read=official.mnist, by_hand="the four *-ubyte.gz files")
EMNIST = dict(
    licence="public domain (NIST)",
    citation="cohen2017emnist",
    note="Images upright (the official files are transposed).",
    read=official.emnist,
    urls=partial(registered, "EMNIST"),
    folder="emnist",  # one archive for all partitions
    by_hand="gzip.zip",
)
CODH = dict(licence="CC BY-SA 4.0 (CODH, ROIS-DS)", citation="clanuwat2018kuzushiji")

SETS = {
    "mnist": Entry(
        *("MNIST", DIGITS, 60_000, 10_000, "CC BY-SA 3.0", "lecun2010mnist"),
        **IDX | {"urls": partial(registered, "MNIST")},
    ),
    "fashion_mnist": Entry(
        *("Fashion-MNIST", CLOTHES, 60_000, 10_000, "MIT", "xiao2017fashion"),
        **IDX | {"urls": partial(registered, "FashionMNIST")},
    ),
    "emnist_letters": Entry("EMNIST Letters", LETTERS, 88_800, 14_800, **EMNIST),
    "emnist_balanced": Entry("EMNIST Balanced", MERGED, 112_800, 18_800, **EMNIST),
    "emnist_bymerge": Entry("EMNIST ByMerge", MERGED, 697_932, 116_323, **EMNIST),
    "kuzushiji49": Entry(
        *("Kuzushiji-49", KANA, 232_365, 38_547),
        **CODH,
        read=official.kuzushiji,
        urls=lambda: official.K49_URLS,
        by_hand="the four k49-*.npz files",
        substitute="kuzushiji_kanji49",
    ),
    "kuzushiji_kanji49": Entry(
        "Kuzushiji-Kanji, 49 most frequent classes", [f"kanji {n}" for n in range(49)], **CODH
    ),
    "fingers": Entry(
        *("Fingers", DIGITS[:6], 18_000, 3_600, "see its Kaggle page", "koryakin2019fingers", 128),
        read=official.fingers,
        by_hand="fingers.zip",
    ),
}
OWN = Entry("a set of one's own", [])  # of which nothing is known
RESERVED = ("downloads", "stand-in", "trained")  # folders of data/ that are no data sets

"""Stand-ins: images that this program draws itself, for machines with no network, no mirror and no data.

Each has the image shape, the classes and the labels of the data set that it stands for, and nothing else of it: no
figure measured on a stand-in may be compared with a published one. The same name and sizes give the same images on
every machine.
"""

import string
import zlib

import numpy as np

from helpers.store.paths import UserError

DIGITS = string.digits
# The EMNIST partitions merge lower-case letters that look like their capitals.
MERGED = DIGITS + string.ascii_uppercase + "abdefghnqrt"
HIRAGANA = "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほまみむめもやゆよらりるれろわゐゑをんゝ"
CLASSES = {
    "mnist": list(DIGITS),
    "fashion_mnist": [
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
    "emnist_letters": list(string.ascii_uppercase),
    "emnist_balanced": list(MERGED),
    "emnist_bymerge": list(MERGED),
    "kuzushiji49": list(HIRAGANA),
    "kuzushiji_kanji49": list(HIRAGANA),
    "fingers": list("012345"),
}
DRAWING = 2  # raised when the drawing changes: copies of an earlier one are then drawn again
SIZES = {"fingers": (4800, 1200)}  # train, test; all others:
DEFAULT_SIZES = (12000, 2000)  # what the quick profile and the notebooks ask for

# How far images of one class differ; see `shapes.warped_grid`. Many classes leave less room than ten.
DIGIT_WARP = dict(
    rotation=24, shear=0.4, scale=(0.8, 1.1), stretch=(0.75, 1.15), shift=1.5, elastic=1.1
)
LETTER_WARP = dict(
    rotation=14, shear=0.3, scale=(0.9, 1.1), stretch=(0.8, 1.15), shift=0.5, elastic=0.9
)
KANA_WARP = dict(
    rotation=14, shear=0.3, scale=(0.85, 1.1), stretch=(0.75, 1.1), shift=1.5, elastic=1.1
)


def class_names(name):
    """The class names of a stand-in, in the order of its labels: list of str."""
    if name not in CLASSES:
        raise UserError(f"there is no stand-in for {name!r}: choose one of {', '.join(CLASSES)}")
    return list(CLASSES[name])


def draw(name, train=None, test=None):
    """Draw a stand-in, with `train` and `test` images (default 12,000 and 2,000; fingers 4,800 and 1,200).

    Returns x_train, x_test uint8 (n, 28, 28), fingers (n, 128, 128); y_train, y_test uint8, 0-based, all classes alike
    in number (fingers: all pairs of count and hand); for fingers also hand_train, hand_test uint8, 0 left, 1 right.
    Training and test images are drawn alike, none twice. Raises UserError on an unknown name or too few images.
    """
    groups = len(class_names(name)) * (2 if name == "fingers" else 1)
    sizes = [
        default if n is None else n
        for n, default in zip((train, test), SIZES.get(name, DEFAULT_SIZES))
    ]
    for part, n in zip(("training", "test"), sizes):
        if n < groups:
            raise UserError(
                f"the stand-in for {name} needs at least {groups} {part} images, one of each kind, not {n}"
            )
    rng = np.random.default_rng([zlib.crc32(name.encode()), *sizes])
    group = np.concatenate([rng.permutation(np.arange(n) % groups) for n in sizes])
    arrays = {"y": (group % len(CLASSES[name])).astype("uint8")}
    if name == "fingers":
        arrays["hand"] = (group // len(CLASSES[name])).astype("uint8")
    arrays["x"] = _images(rng, name, **arrays)
    parts = {"train": slice(sizes[0]), "test": slice(sizes[0], None)}
    return {
        f"{key}_{part}": array[where].copy()
        for part, where in parts.items()
        for key, array in arrays.items()
    }


def _images(rng, name, y, hand=None):
    # Imported here, for SciPy is slow to load and whoever only asks for class names does not need it.
    from helpers.datasets.standins import clothes, hands, strokes

    if name == "fashion_mnist":
        return clothes.draw(rng, y)
    if name == "fingers":
        return hands.draw(rng, y, hand)
    if CLASSES[name] == list(HIRAGANA):
        alphabet = [[("japanese", kana)] for kana in HIRAGANA]
        return strokes.draw(rng, y, alphabet, variants=20, wobble=0.06, **KANA_WARP)
    if name == "mnist":
        return strokes.draw(rng, y, [strokes.latin(digit) for digit in DIGITS], **DIGIT_WARP)
    # A class of capitals also holds the small letter, unless that is a class of its own.
    both = [{c, c.lower()} - (set(CLASSES[name]) - {c}) for c in CLASSES[name]]
    return strokes.draw(
        rng, y, [strokes.latin(sorted(pair)) for pair in both], variants=2, **LETTER_WARP
    )

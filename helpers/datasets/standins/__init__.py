"""Stand-ins: images that this program draws itself, where there is no network, mirror or data.

Each has the image shape, classes and labels of the data set that it stands for, and nothing else of
it: no figure measured on a stand-in may be compared with a published one. The same name and sizes
give the same images.
"""

import zlib

import numpy as np

from helpers.datasets.catalogue import OWN, SETS

DRAWING = 4  # raised when the drawing changes: copies of an earlier one are then drawn again


def known(name):
    """Whether a data set can be drawn: clothes, hands, and classes named by one character."""
    classes = SETS.get(name, OWN).class_names
    return name == "fashion_mnist" or bool(classes) and max(map(len, classes)) == 1


def draw(name, sizes=None):
    """Draw a set that is `known`, `sizes` (train, test): 12,000 and 2,000; fingers 4,800 and 1,200.

    Returns uint8 x_train, x_test (n, 28, 28), of fingers (n, 128, 128); y_train, y_test, from 0,
    all classes alike in number; of fingers also hand_train, hand_test, 0 left, 1 right. No image is
    drawn twice. The defaults are what the quick profile asks for.
    """
    classes, hands = len(SETS[name].class_names), 2 if name == "fingers" else 1
    sizes = sizes or ((4800, 1200) if hands == 2 else (12000, 2000))
    rng = np.random.default_rng([zlib.crc32(name.encode()), *sizes])
    kind = np.concatenate([rng.permutation(np.arange(n) % (classes * hands)) for n in sizes])
    hand, y = np.divmod(kind.astype("uint8"), classes)
    grey = _pictures(rng, name, y, hand)
    x = np.stack([np.rint(255 * np.clip(picture, 0, 1)).astype("uint8") for picture in grey])
    arrays = {"x": x, "y": y} | ({"hand": hand} if hands == 2 else {})
    drawn = {f"{key}_train": array[: sizes[0]] for key, array in arrays.items()}
    return drawn | {f"{key}_test": array[sizes[0] :] for key, array in arrays.items()}


def _pictures(rng, name, y, hand):
    """One after the other the pictures of the labels `y`, grey, 0 to 1."""
    from helpers.datasets.standins import characters, clothes, hands

    if name == "fashion_mnist":
        return (clothes.draw(rng, label) for label in y)
    if name == "fingers":
        poses = hands.poses(rng)
        return (hands.draw(rng, poses[count], right) for count, right in zip(y, hand))
    forms = characters.forms(SETS[name].class_names)
    limits = characters.FAR if name in ("mnist", "kuzushiji49") else characters.NEAR
    return (characters.draw(rng, forms[label], limits) for label in y)

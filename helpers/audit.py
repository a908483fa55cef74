"""A data set before any network: copies, nearest neighbours, doubted labels. Notebook 06."""

import hashlib

import numpy as np

from helpers.batches import Split
from helpers.evaluation import nearest, reduced


def duplicates(x_train, y_train, x_test, y_test):
    """How many images are the same pixel for pixel, found by hash.

    Returns a dict: images in `train` and in `test` that repeat an earlier one of the same part,
    test images that stand among the training images too (`across`), and pictures that occur under
    several labels (`conflicting`).
    """
    train, test = ([fingerprint(image) for image in images] for images in (x_train, x_test))
    labels = {}
    for key, label in zip([*train, *test], [*y_train, *y_test]):
        labels.setdefault(key, set()).add(int(label))
    known = set(train)
    return {
        "train": len(train) - len(known),
        "test": len(test) - len(set(test)),
        "across": sum(key in known for key in test),
        "conflicting": sum(len(names) > 1 for names in labels.values()),
    }


def fingerprint(image):
    """The first 16 hexadecimal digits of the SHA-256 over an image's pixels: its name."""
    return hashlib.sha256(np.ascontiguousarray(image).data).hexdigest()[:16]


def neighbours(x_train, x_test, side):
    """The nearest training image of every test image, averaged down to `side` pixels.

    Returns its index, int64 (n,), into x_train, which is no order of a file where parts were joined
    (README, "How to read a run"); and the root-mean-square difference of the two as a share of the
    pixel range, float32 (n,).
    """
    train, test = reduced(x_train, side), reduced(x_test, side)
    index = nearest(train, test)
    return index, np.sqrt(((train[index] - test) ** 2).mean(axis=1))


def few_shot(x_train, y_train, x_test, y_test, side, shots, draws):
    """Nearest-neighbour accuracy with so many training images a class (or all that it has): a dict
    from the number to a list, one a draw. Within a draw the smaller sets are parts of the larger.
    """
    y_train, train, test = np.asarray(y_train), reduced(x_train, side), reduced(x_test, side)
    accuracies = {number: [] for number in shots}
    for draw in range(draws):
        place = rank_in_class(y_train, np.random.default_rng([draw, 6]).permutation(len(y_train)))
        for number in shots:
            chosen = np.flatnonzero(place < number)
            named = y_train[chosen][nearest(train[chosen], test)]
            accuracies[number].append(float(np.mean(named == y_test)))
    return accuracies


def rank_in_class(labels, order):
    """The place, int64 (n,) from 0, of each image among its class in a permutation `order`."""
    place, labels = np.empty(len(labels), "int64"), np.asarray(labels)
    for label in np.unique(labels):
        members = order[labels[order] == label]
        place[members] = np.arange(len(members))
    return place


def folds(labels, count, seed):
    """The fold, 0 to count - 1, of every image, int64 (n,): at random, each class spread evenly."""
    return rank_in_class(labels, np.random.default_rng([seed, 5]).permutation(len(labels))) % count


def held_out(images, labels, fold, number, identity):
    """A `Split` of images, uint8 (n, h, w, 1), that learns from all folds but the one judged."""
    learnt = fold != number
    choice = np.ascontiguousarray(fold, "<i8").tobytes() + bytes([number])
    name = hashlib.sha256(identity.encode() + choice).hexdigest()
    train, validation = (images[learnt], labels[learnt]), (images[~learnt], labels[~learnt])
    return Split(*train, *validation, images[:0], labels[:0], name)


def doubted(labels, answers, confidences, sure):
    """Candidates for wrong labels, as indices: images that in every repeat a network which never
    saw them named as the same other class, each time at least `sure` of it; the surest (by their
    least sure repeat) first. answers and confidences are (repeats, n).

    A simple form of confident learning (Northcutt, Jiang and Chuang 2021): a list for human eyes
    and not a verdict.
    """
    least = confidences.min(axis=0)
    agreed = (answers == answers[0]).all(axis=0) & (answers[0] != labels) & (least >= sure)
    chosen = np.flatnonzero(agreed)
    return chosen[np.argsort(-least[chosen], kind="stable")]

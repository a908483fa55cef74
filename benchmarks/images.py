"""Images to measure with: stand-ins, repeated up to the number that is asked for. How fast a
network learns does not depend on what it sees."""

import numpy as np


def parts(dataset, train, validation):
    """(data, split): a data set's stand-in, and a `batches.Split` of so many images of it, uint8
    (n, height, width, 1)."""
    from helpers import batches, datasets

    data = datasets.load(dataset, mode="stand-in")
    x, y = repeated(data.x_train, train)[..., None], repeated(data.y_train, train)
    x_validation, y_validation = (
        repeated(data.x_test, validation)[..., None],
        repeated(data.y_test, validation),
    )
    return data, batches.Split(
        x,
        y,
        x_validation,
        y_validation,
        x_validation,
        y_validation,
        f"benchmark {dataset} {train} {validation}",
    )


def repeated(array, count):
    """The first `count` entries of an array, begun again from the front as often as need be."""
    return np.asarray(array)[np.arange(count) % len(array)]

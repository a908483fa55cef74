"""The networks of the five course reports, one function each, and some of our own that change one
thing in them. Every notebook with a network.

Each takes `image_shape` (height, width, 1) and `classes`, and returns an uncompiled
`keras.Sequential` from uint8 images (n, height, width, 1) to class probabilities (n, classes).
Scaling to [0, 1] is the first layer, so that images travel as bytes. Where a course report leaves a
value open, the comment `open:` says what was chosen.
"""

import functools
import inspect

from helpers.store.backend import keras
from helpers.store.paths import UserError

layers, regularizers = keras.layers, keras.regularizers


def mnist_mlp(image_shape, classes):
    """784 - 512 - 512 - classes with dropout; 669,706 parameters for MNIST."""
    return _network(
        "mnist_mlp",
        image_shape,
        [
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.2),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_cnn(image_shape, classes):
    """Two convolutions, one pooling, a dense layer, dropout; 1,199,882 parameters."""
    return _network(
        "mnist_cnn",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_first(image_shape, classes):
    """The smallest CNN: one convolution, one pooling, softmax; 54,410 parameters."""
    return _network(
        "mnist_first",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_second_v1(image_shape, classes):
    """Three convolutions with pooling that rounds up: a last map of 2x2; 62,250 parameters."""
    return _network(
        "mnist_second_v1",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_second_v1_normalised(image_shape, classes):
    """Our own: `mnist_second_v1` with batch normalisation and nothing else; 62,762 parameters."""
    return _network(
        "mnist_second_v1_normalised",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_second_v1_dense_0(image_shape, classes):
    """Our own: `mnist_second_v1` without its dense layer of 128; 30,634 parameters."""
    return _second_v1("mnist_second_v1_dense_0", image_shape, classes, [])


def mnist_second_v1_dense_64(image_shape, classes):
    """Our own: `mnist_second_v1` with a dense layer of 64; 45,162 parameters."""
    return _second_v1("mnist_second_v1_dense_64", image_shape, classes, [64])


def mnist_second_v1_dense_256(image_shape, classes):
    """Our own: `mnist_second_v1` with a dense layer of 256; 96,426 parameters."""
    return _second_v1("mnist_second_v1_dense_256", image_shape, classes, [256])


def mnist_second_v2(image_shape, classes):
    """Shrinking kernels (3x3, 2x2, 1x1), all padded; the last map is 3x3; 79,498 parameters."""
    return _network(
        "mnist_second_v2",
        image_shape,
        [
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 2, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 1, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),  # open: the rate
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_second_v2_dropout_25(image_shape, classes):
    """Our own: `mnist_second_v2` with a dropout of 0.25; 79,498 parameters."""
    return _dropout(mnist_second_v2, 0.25, "mnist_second_v2_dropout_25", image_shape, classes)


def mnist_third(image_shape, classes):
    """Four convolutions with batch normalisation, dropout, a weight penalty; 234,378 parameters."""

    # open: where batch normalisation stands, which penalty and how strong, which initialiser
    def convolution(filters, size):
        return [
            layers.Conv2D(
                filters,
                size,
                activation="relu",
                kernel_initializer="he_normal",
                kernel_regularizer=regularizers.L2(1e-4),
            ),
            layers.BatchNormalization(),
        ]

    return _network(
        "mnist_third",
        image_shape,
        [
            *convolution(16, 3),
            *convolution(32, 3),
            layers.MaxPooling2D(2),
            layers.Dropout(0.20),
            *convolution(64, 3),
            layers.MaxPooling2D(2),
            layers.Dropout(0.30),
            *convolution(64, 1),
            layers.Dropout(0.35),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.40),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def mnist_third_bare(image_shape, classes):
    """Our own: `mnist_third` without normalisation, dropout and penalty; 233,674 parameters."""

    def convolution(filters, size):
        return layers.Conv2D(filters, size, activation="relu", kernel_initializer="he_normal")

    return _network(
        "mnist_third_bare",
        image_shape,
        [
            convolution(16, 3),
            convolution(32, 3),
            layers.MaxPooling2D(2),
            convolution(64, 3),
            layers.MaxPooling2D(2),
            convolution(64, 1),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def fashion_dense(image_shape, classes):
    """784 - 100 - classes. open: the course report does not print its dense network."""
    return _network(
        "fashion_dense",
        image_shape,
        [
            layers.Flatten(),
            layers.Dense(100, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def fashion_cnn_1x100(image_shape, classes):
    """Two convolutions and one dense layer of 100; 179,926 parameters."""
    return _fashion_cnn("fashion_cnn_1x100", image_shape, classes, [100])


def fashion_cnn_2x50(image_shape, classes):
    """Two convolutions and two dense layers of 50; 101,926 parameters."""
    return _fashion_cnn("fashion_cnn_2x50", image_shape, classes, [50, 50])


def fashion_cnn_3x75(image_shape, classes):
    """Two convolutions and three dense layers of 75; 151,051 parameters."""
    return _fashion_cnn("fashion_cnn_3x75", image_shape, classes, [75, 75, 75])


def fashion_cnn_1x87(image_shape, classes):
    """Our own: a dense layer of 87, which the course report names too; 158,983 parameters."""
    return _fashion_cnn("fashion_cnn_1x87", image_shape, classes, [87])


def fashion_cnn_1x200(image_shape, classes):
    """Our own: `fashion_cnn_1x100` with a dense layer twice as wide; 341,026 parameters."""
    return _fashion_cnn("fashion_cnn_1x200", image_shape, classes, [200])


def emnist_first(image_shape, classes):
    """One convolution and two wide dense layers; 2,838,746 parameters for 26 classes."""
    return _network(
        "emnist_first",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def emnist_second(image_shape, classes):
    """Three padded convolutions, doubling in width; 424,602 parameters for 26 classes."""
    return _network(
        "emnist_second",
        image_shape,
        [
            layers.Conv2D(32, 5, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(256, activation="relu"),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def emnist_third(image_shape, classes):
    """Two convolutions, one dense layer, dropout; 851,866 parameters for 26 classes."""
    return _network(
        "emnist_third",
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),  # open: the three rates
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def emnist_third_bare(image_shape, classes):
    """Our own: `emnist_third` without dropout; 851,866 parameters for 26 classes."""
    return _dropout(emnist_third, 0, "emnist_third_bare", image_shape, classes)


def k49_tuned(image_shape, classes):
    """784 - 512 - 448 - classes, the best of the report's search; 653,745 parameters."""
    return _network(
        "k49_tuned",
        image_shape,
        [
            layers.Flatten(),
            layers.Dense(512, activation="relu", kernel_initializer="glorot_normal"),
            layers.Dropout(0.25),  # open: between 20 and 30 %
            layers.Dense(448, activation="relu", kernel_initializer="glorot_normal"),
            layers.Dropout(0.25),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def k49_tuned_bare(image_shape, classes):
    """Our own: `k49_tuned` without dropout; 653,745 parameters."""
    return _dropout(k49_tuned, 0, "k49_tuned_bare", image_shape, classes)


def carlosnet(image_shape, classes):
    """Small network with growing kernels for 128x128 images; 8,006 parameters for 6 classes."""
    return _network(
        "carlosnet",
        image_shape,
        [
            layers.Conv2D(4, 3, activation="relu"),
            layers.MaxPooling2D(3),
            layers.Conv2D(8, 5, activation="relu"),
            layers.MaxPooling2D(3),
            layers.Conv2D(16, 7, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def ivannet(image_shape, classes):
    """Large network for 128x128 images, seven convolutions; 6,167,166 parameters for 6 classes."""
    return _network(
        "ivannet",
        image_shape,
        [
            *[layers.Conv2D(20, 5, activation="relu") for _ in range(2)],
            layers.MaxPooling2D(2),
            *[layers.Conv2D(40, 3, activation="relu") for _ in range(2)],
            layers.MaxPooling2D(2),
            *[layers.Conv2D(80, 3, activation="relu") for _ in range(3)],
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(600, activation="relu"),
            layers.Dense(300, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
    )


def _fashion_cnn(name, image_shape, classes, dense):
    return _network(
        name,
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.5),
            layers.Flatten(),
            *[layers.Dense(units, activation="relu") for units in dense],
            layers.Dense(classes, activation="softmax"),
        ],
    )


def _second_v1(name, image_shape, classes, dense):
    return _network(
        name,
        image_shape,
        [
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2, padding="same"),
            layers.Flatten(),
            *[layers.Dense(units, activation="relu") for units in dense],
            layers.Dense(classes, activation="softmax"),
        ],
    )


def _dropout(build, rate, name, image_shape, classes):
    # the layers of another network and its initial weights, every dropout at this rate, at 0 none
    stack = []
    for layer in build(image_shape, classes).layers:
        if not isinstance(layer, layers.Dropout):
            stack.append(layer)
        elif rate:
            stack.append(layers.Dropout(rate))
    return keras.Sequential([layers.Input(image_shape, dtype="uint8"), *stack], name=name)


def _network(name, image_shape, stack):
    return keras.Sequential(
        [layers.Input(image_shape, dtype="uint8"), layers.Rescaling(1 / 255), *stack], name=name
    )


def _fitting(build):
    """A network's function, with one clear line in place of Keras's where images are too small."""

    @functools.wraps(build)
    def checked(image_shape, classes):
        try:
            return build(image_shape, classes)
        except ValueError as error:
            if "negative" not in str(error):  # of a size; else it is a fault of the function's
                raise
            height, width = image_shape[:2]
            raise UserError(
                f"Images of {height} x {width} are too small for {build.__name__}: choose another "
                "network, or enlarge the images."
            ) from error

    return checked


# Here and not as decorators above: a line more at a network would make all of its runs again.
for _name, _build in list(globals().items()):
    if inspect.isfunction(_build) and _name[0] != "_":
        globals()[_name] = _fitting(_build)

"""The rows of report/bench.json: their goals, and which function measures them."""

# name: (goal, better, unit). A name with a dot is part of the row before the dot.
GOALS = {
    "train": (
        1.5,
        "higher",
        "images a second, ours over plain Keras fit, geometric mean of six networks",
    ),
    "augment": (
        1.15,
        "lower",
        "seconds of a carlosnet epoch, fresh random transforms over plain images, "
        "one training alone",
    ),
    "augment.side_by_side": (1.15, "lower", "the same for two seeds side by side, one thread each"),
    "augment_pipeline": (
        3,
        "higher",
        "transformed 128x128 images a second, ours over Keras's preprocessing layers in tf.data",
    ),
    "grid": (
        3,
        "higher",
        "seconds for a quick run of each notebook, papermill one after another over ours",
    ),
    "start": (
        1.2,
        "lower",
        "seconds of a run outside fit, over a notebook that only imports Keras",
    ),
    "noop": (0.4, "lower", "seconds, second make all over importing TensorFlow"),
    "load": (10, "higher", "seconds to open, check and read MNIST, tfds.load over ours"),
    "prepare": (
        20,
        "higher",
        "seconds from the MNIST files to arrays, TensorFlow Datasets over ours",
    ),
    "scale": (
        0.95,
        "higher",
        "images a second within epochs, emnist_third on 700,000 images over 10,000",
    ),
    "scale.memory": (2.5, "lower", "GB of memory at the peak, emnist_third on 700,000 images"),
    "report": (2, "lower", "seconds, make report over pandoc and Typst alone on the same text"),
}
NETWORKS = (
    "mnist-mlp",
    "fashion-cnn-1x100",
    "emnist-third-letters",
    "k49-tuned",
    "fingers-carlosnet-plain",
    "fingers-ivannet-plain",
)
GOALS |= {
    f"train.{run}": (0.97, "higher", "images a second, ours over plain Keras fit")
    for run in NETWORKS
}

GOALS |= {
    "time_to_accuracy": (
        4,
        "higher",
        "seconds of the faithful schedule over the short one, geometric mean of five runs",
    ),
    "time_to_accuracy.accuracy": (
        -0.0005,
        "higher",
        "test accuracy of the short schedule minus the faithful one's, mean of all seeds that the "
        "full edition has of both, in the worst of the eight runs",
    ),
    "search": (
        3,
        "higher",
        "trial-epochs to random search's best validation accuracy, random search over "
        "annealed Hyperband",
    ),
}
GOALS |= {
    "overhead": (
        1,
        "lower",
        "processor seconds of a grid of all smoke runs, divided by their number, over import keras",
    ),
    "suite": (
        2,
        "higher",
        "seconds of make test and make test-faults, the commit before over the present one",
    ),
    "cold": (
        1.1,
        "lower",
        "seconds from a fresh clone to the first finished notebook, over pip install and papermill",
    ),
}
FAST = (
    "mnist-mlp",
    "fashion-dense",
    "emnist-first-letters",
    "k49-tuned",
    "fingers-carlosnet-plain",
)  # each has a run with a short schedule, RUN-fast
DROPOUT = ("mnist-cnn", "fashion-cnn-1x100", "emnist-third-letters")  # and so has each of these
GOALS |= {
    f"time_to_accuracy.{run}": (
        goal,
        "higher",
        "seconds of the faithful schedule over the short one",
    )
    for runs, goal in ((FAST, 1), (DROPOUT, 2))
    for run in runs
}

# What can be asked for, in the order in which it is measured: the module of this package and its
# function of that name; it returns the ratios of every repeat.
STEPS = {
    "load": "data",
    "prepare": "data",
    "noop": "whole",
    "report": "whole",
    "start": "whole",
    "augment_pipeline": "augment",
    "augment": "augment",
    "scale": "scale",
    "train": "train",
}
LONG = {
    "grid": "whole",
    "overhead": "felt",
    "suite": "felt",
    "cold": "felt",
    "search": "long",
    "time_to_accuracy": "long",
}  # `make bench-long`


def parts(name, entries):
    """Names of a row and of its parts among entries: "scale" gives scale and scale.memory."""
    return [entry for entry in entries if entry.split(".")[0] == name]

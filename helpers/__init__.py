"""The small package that notebooks call.

Its modules are chapters; each imports only those that stand before it in this list:

store         what the rest stands on: paths, whole files, locks, a quiet Keras
runs          the runs of notebooks/runs.yaml, their parameters and fingerprints
datasets      a data set by its name, from wherever it can be had
inspection    what a network is made of
models        the networks, a function each
augmentation  random flips, rotations, shifts and zooms
batches       the split, and the batches of each epoch
training      fit, with a cache of trained networks
statistics    how sure a number is
evaluation    accuracy, loss and probabilities of a trained network
explain       what a trained network looks at
audit         a data set before any network
search        hyper-parameter search, evolution, a table of topologies
watching      training as the early course reports did it
protocol      what choosing an epoch by the test images is worth
results       records and predictions of a run
show          figures and tables of a run
predict       a drawing or a photograph, classified

`from helpers import keras` gives Keras without the start-up messages of the libraries beneath it.
"""


def __getattr__(name):
    """Imports Keras when it is asked for, and not before: it takes seconds."""
    if name != "keras":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from helpers.store.backend import keras

    return keras

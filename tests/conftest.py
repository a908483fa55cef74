"""What every test gets: no network, no switches, one thread, data and output folders of its own."""

import contextlib
import os
import shutil
import sys
import tempfile

assert "helpers.store.paths" not in sys.modules, (
    "helpers.store.paths reads OUT and DATA_DIR when it is imported: set them before"
)

SCRATCH = tempfile.mkdtemp(prefix="keras-course-reports-")
SWITCHES = (
    "MIRROR",
    "DATA",
    "FORCE",
    "SEEDS",
    "SCHEDULER",
    "LIMIT",
    "PROFILE",
    "RUNS",
    "RUN_FINGERPRINT",
    "PROGRESS_FILE",
    "RUNS_FILE",
    "NOTEBOOK",
)
for switch in SWITCHES:
    os.environ.pop(switch, None)
os.environ.update(
    DATA_DIR=os.path.join(SCRATCH, "data"),
    OUT=os.path.join(SCRATCH, "out"),
    KERAS_REPORTS_ONLINE="0",
    TF_CPP_MIN_LOG_LEVEL="2",
    **{
        name: "1"
        for name in (
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
        )
    },
)

import numpy as np
import pytest
from faults.ledger import (  # noqa: F401
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_itemcollected,
    pytest_runtest_logreport,
    pytest_sessionfinish,
)


def pytest_unconfigure():
    """The session's folder goes when the session ends."""
    shutil.rmtree(SCRATCH, ignore_errors=True)


def pytest_terminal_summary(terminalreporter):
    """Browser tests that did not run must not go unnoticed."""
    skipped = [
        report
        for report in terminalreporter.stats.get("skipped", [])
        if "browser" in report.keywords
    ]
    if skipped:
        terminalreporter.section(
            f"{len(skipped)} BROWSER TESTS WERE SKIPPED", sep="!", red=True, bold=True
        )
        for reason in sorted(
            {
                str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
                for report in skipped
            }
        ):
            terminalreporter.write_line(reason, red=True)
        terminalreporter.write_line(
            "What they look at in a browser has not been looked at: install what is missing "
            "and run the tests again.",
            red=True,
        )


@pytest.fixture(scope="session")
def stand_ins():
    """Prepares the stand-in of a data set in the session's data folder, once."""
    from helpers import datasets

    return lambda name: datasets.prepare(name, mode="stand-in", say=lambda line: None)


@contextlib.contextmanager
def eagerly():
    """Train networks in this block without TensorFlow's graphs: to trace one takes longer than a
    few steps without it."""
    from helpers.store.backend import keras

    if keras.backend.backend() != "tensorflow":
        yield
        return
    from tensorflow import config

    before = config.functions_run_eagerly()
    config.run_functions_eagerly(True)
    try:
        yield
    finally:
        config.run_functions_eagerly(before)


@pytest.fixture
def eager():
    """A test whose trainings are that short."""
    with eagerly():
        yield


def tiny_arrays(train=120, test=40, side=8, classes=4, seed=0):
    """Noise with one bright column whose place is the class: learnable in an epoch or two."""
    rng = np.random.default_rng(seed)
    found = {}
    for part, count in (("train", train), ("test", test)):
        labels = (np.arange(count) % classes).astype("uint8")
        rng.shuffle(labels)
        images = rng.integers(0, 120, (count, side, side), dtype="uint8")
        images[np.arange(count), :, labels * (side // classes)] = 250
        found |= {f"x_{part}": images, f"y_{part}": labels}
    return found


@pytest.fixture
def tiny():
    """A data set of 120 + 40 images of 8x8, 4 classes, that never touches the disk."""
    from helpers.datasets import Dataset
    from helpers.datasets import arrays as idx

    arrays = tiny_arrays()
    meta = {
        "name": "mnist",
        "title": "Columns",
        "kind": "official",
        "sha256": idx.sha256(arrays),
        "classes": 4,
        "class_names": list("abcd"),
        "split": "official",
        "licence": "none",
        "source": "drawn by the test",
        "train": 120,
        "test": 40,
        "image_shape": [8, 8],
        "note": "",
    }
    return Dataset("mnist", **arrays, hand_train=None, hand_test=None, meta=meta)


@pytest.fixture
def parts(tiny):
    """The tiny data set in three parts: 80, 40 and 40 images."""
    from helpers import batches

    return batches.split(tiny, validation_images=40)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Output and data folders of one test's own."""
    from helpers.store import paths

    monkeypatch.setattr(paths, "OUT", tmp_path / "out")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    return tmp_path

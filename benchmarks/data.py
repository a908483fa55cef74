"""Data: the MNIST files made into arrays, these opened again, ours against TensorFlow Datasets.

The files have the official format and size; their images are those of the prepared MNIST, or
stand-ins where there is none.
"""

import contextlib
import functools
import gzip
import hashlib
import http.server
import shutil
import struct
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import images, measure
from benchmarks.worker import Worker, ready

COUNTS = {"train": 60_000, "test": 10_000}


def write_files(folder):
    """The four gzip-ed IDX files of MNIST in a folder: {file name: (bytes, sha256)}."""
    from helpers import datasets
    from helpers.datasets.official import IDX_FILES

    data = datasets.load("mnist", mode=None if datasets.prepared("mnist") else "stand-in")
    for key, file in IDX_FILES.items():
        array = images.repeated(getattr(data, key), COUNTS[key[2:]])
        head = struct.pack(f">{1 + array.ndim}I", 0x0800 + array.ndim, *array.shape)
        (folder / file).write_bytes(gzip.compress(head + array.tobytes(), 6, mtime=0))
    return {
        file: (
            (folder / file).stat().st_size,
            hashlib.sha256((folder / file).read_bytes()).hexdigest(),
        )
        for file in IDX_FILES.values()
    }


@contextlib.contextmanager
def served(folder):
    """The address of a folder, served on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()


def _builder(address, sums):
    """TensorFlow Datasets' own MNIST, pointed at another address with other checksums."""
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import checksums
    from tensorflow_datasets.core.utils import gcs_utils
    from tensorflow_datasets.image_classification import mnist

    from helpers.store import backend  # noqa: F401  loads TensorFlow without its start-up messages

    tfds.disable_progress_bar()
    # It would ask Google's servers for a prepared copy, and wait for them without network.
    gcs_utils._is_gcs_disabled = True

    class LoopbackMnist(mnist.MNIST):
        URL = address
        url_infos = {
            address + file: checksums.UrlInfo(
                size=tfds.core.utils.Size(size), checksum=checksum, filename=file
            )
            for file, (size, checksum) in sums.items()
        }

    return LoopbackMnist


def theirs_prepare(address, sums, folder):
    """Seconds of `download_and_prepare` into an empty folder."""
    builder = _builder(address, sums)

    def prepared():
        shutil.rmtree(folder, ignore_errors=True)
        started = time.perf_counter()
        builder(data_dir=folder).download_and_prepare()
        return time.perf_counter() - started

    return prepared


def ours_prepare(kept, sums, folder):
    """Seconds from the same files, put there by hand, to a checked and hashed copy."""
    from helpers.datasets import copies, official
    from helpers.datasets.catalogue import SETS
    from helpers.store import paths

    paths.DATA = Path(folder)
    wanted = {file: (f"http://127.0.0.1/{file}", *facts) for file, facts in sums.items()}

    def prepared():
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(kept, Path(folder) / "downloads" / "mnist")
        started = time.perf_counter()
        copies.make("mnist", lambda: official.read("mnist", SETS["mnist"], print, wanted), print)
        return time.perf_counter() - started

    return prepared


def theirs_load(address, sums, folder):
    """Seconds of `tfds.load(..., batch_size=-1)` of the prepared set, read through once."""
    import tensorflow_datasets as tfds

    from helpers.store import backend  # noqa: F401  loads TensorFlow without its start-up messages

    _builder(address, sums)

    def loaded():
        started = time.perf_counter()
        for part, count in COUNTS.items():
            found = tfds.as_numpy(
                tfds.load(
                    "loopback_mnist", split=part, data_dir=folder, download=False, batch_size=-1
                )
            )
            _read(found["image"], found["label"], count)
        return time.perf_counter() - started

    return loaded


def ours_load(folder):
    """Seconds of `datasets.load` of the prepared set, hash compared, and read through once."""
    from helpers import datasets
    from helpers.store import paths

    paths.DATA = Path(folder)

    def loaded():
        started = time.perf_counter()
        data = datasets.load("mnist")
        for part, count in COUNTS.items():
            _read(getattr(data, f"x_{part}"), getattr(data, f"y_{part}"), count)
        return time.perf_counter() - started

    return loaded


def _read(x, y, count):
    if len(x) != count or len(y) != count or not x.max():
        raise RuntimeError(f"{len(x)} images instead of {count}")


@contextlib.contextmanager
def prepared_by():
    """The two ways to prepare MNIST, each a Worker, and what those that load it are given."""
    with tempfile.TemporaryDirectory() as name:
        kept, theirs, ours = Path(name) / "kept", f"{name}/theirs", f"{name}/ours"
        kept.mkdir()
        sums = write_files(kept)
        with (
            served(kept) as address,
            Worker(theirs_prepare, address, sums, theirs) as other,
            Worker(ours_prepare, str(kept), sums, ours) as own,
        ):
            ready(other, own)
            yield other, own, (address, sums, theirs), (ours,)


def prepare(say=print):
    """Row `prepare`."""
    say("  the MNIST files made into arrays; seconds, TensorFlow Datasets over ours")
    with prepared_by() as (other, own, *_):
        return {"prepare": measure.ratios(measure.alternate(other.measure, own.measure, say))}


def load(say=print):
    """Row `load`, of a set that each side has prepared."""
    say("  MNIST opened, checked and read through once; seconds, TensorFlow Datasets over ours")
    with prepared_by() as (other, own, of_other, of_own):
        other.measure()
        own.measure()
        with Worker(theirs_load, *of_other) as other, Worker(ours_load, *of_own) as own:
            ready(other, own)
            return {"load": measure.ratios(measure.alternate(other.measure, own.measure, say))}

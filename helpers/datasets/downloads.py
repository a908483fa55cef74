"""Official files: put in place by hand, or downloaded by pooch and compared with a checksum."""

import os
import queue
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from helpers.store import files
from helpers.store.paths import UserError

HOSTS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/train-labels-idx1-ubyte.gz",
    "https://biometrics.nist.gov/",
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SILENCE = 30  # seconds without a byte, after which a server counts as stalled


class Unavailable(UserError):
    """This source cannot give the data now; the next one may."""


def online():
    """Whether a host of the official data answers, through the environment's proxy if any.

    Found out once, within five seconds; child processes inherit it in KERAS_REPORTS_ONLINE.
    """
    if "KERAS_REPORTS_ONLINE" not in os.environ:
        answers, end = queue.Queue(), time.monotonic() + 4.5
        for url in HOSTS:  # daemon threads: looking a name up has no time limit of its own
            threading.Thread(target=_ask, args=(url, answers), daemon=True).start()
        try:
            found = any(answers.get(timeout=max(0, end - time.monotonic())) for _ in HOSTS)
        except queue.Empty:
            found = False
        os.environ["KERAS_REPORTS_ONLINE"] = str(int(found))
    return os.environ["KERAS_REPORTS_ONLINE"] == "1"


def _ask(url, answers):
    import requests

    try:
        requests.head(url, timeout=4)
        answers.put(True)
    except requests.RequestException:  # over https a refusing proxy too
        answers.put(False)


def registered(builder):
    """Files {name: (address, bytes, sha256)} of a builder of TensorFlow Datasets: MNIST, EMNIST."""
    try:
        from tensorflow_datasets.image_classification import mnist
    except ImportError as error:
        fault = f"addresses come from tensorflow-datasets, which cannot be imported ({error})"
        raise Unavailable(f"{fault}: install it, or give MIRROR=DIR") from error
    infos = getattr(mnist, builder).url_infos.items()
    return {Path(urlsplit(url).path).name: (url, int(i.size), i.checksum) for url, i in infos}


def fetch(folder, wanted, say=print, unpacked=()):
    """Paths {file name: path} of `wanted` {file name: (address, bytes or None, checksum or None)}.

    A file of that name put into `folder` by hand is taken; else one downloaded earlier; else it is
    downloaded. Each is compared with its checksum, a SHA-256 or "md5:...", or with that of the
    same file unpacked, {file name: checksum}. What lies there and is not read is said. Raises
    Unavailable where one cannot be had, UserError where one put there by hand is another file.
    """
    used = {name: path for name in wanted if (path := _by_hand(folder, name))}
    others = {path.name for path in folder.glob("[!.]*")} - {path.name for path in used.values()}
    others = sorted(name for name in others if not name.startswith(("downloaded-", "tmp")))
    if others and len(used) < len(wanted):
        missing = ", ".join(name for name in wanted if name not in used)
        say(f"  not read in {folder}: {', '.join(others)[:200]}; what is wanted there: {missing}")
    right = {name: checksum for name, (_, _, checksum) in wanted.items()}
    for name, path in used.items():
        if not _intact(path, right[name]):
            if not _intact(path, other := dict(unpacked).get(name, "none")):
                fault = f"{path} is not the official file: its checksum is not {right[name]}"
                way = "Put a whole copy of that in its place, or move it elsewhere."
                raise UserError(f"{fault}. {way}")
            right[name] = other
    for name, (url, size, _) in wanted.items():
        path, checksum = used.setdefault(name, folder / f"downloaded-{name}"), right[name]
        if not (path.is_file() and _intact(path, checksum)):
            say(f"  fetching {name}, {f'{size:,} bytes' if size else 'size not known'}, from {url}")
            _download(url, checksum, path)
        known = checksum or "not known"
        say(f"  {path.name}: checksum {known}; sha256 seen: {files.sha256(path)}")
    return used


def _by_hand(folder, name):
    """Where a file was put by hand, under its own name, unpacked, or with a dot for the dash that
    unpacking programs put there; None where it was not."""
    names = [name, name.removesuffix(".gz")]
    names += [other.replace("-idx", ".idx") for other in names]
    return next((folder / other for other in names if (folder / other).is_file()), None)


def _intact(path, checksum):
    import pooch

    algorithm, _, digest = (checksum or "").rpartition(":")
    return not checksum or pooch.file_hash(path, algorithm or "sha256") == digest


def _download(url, checksum, path):
    """Download a file, trying twice; kept only if its checksum is right. Raises Unavailable."""
    import pooch
    import requests

    host = urlsplit(url).hostname
    if host not in LOOPBACK and not online():
        raise Unavailable("no network")
    pooch.get_logger().setLevel("ERROR")
    http = pooch.HTTPDownloader(sys.stderr.isatty(), chunk_size=1 << 16, timeout=(10, SILENCE))
    for _ in range(2):
        try:
            pooch.retrieve(url, checksum, path.name, path.parent, downloader=http)
            return
        except requests.RequestException as error:  # refused, cut off, stalled
            failure = Unavailable(f"cannot download ({' '.join(str(error).split())[:200]})")
        except ValueError:
            failure = Unavailable(f"wrong checksum: what {host} sent is not the registered file")
    raise failure

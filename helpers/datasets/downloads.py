"""Official files: put in place by hand, or downloaded by pooch and compared with a checksum."""

import contextlib
import os
import sys
import threading
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
        answered = []
        # A thread, for looking a name up has no time limit of its own.
        thread = threading.Thread(target=_ask, args=(answered,), daemon=True)
        thread.start()
        thread.join(4.5)
        os.environ["KERAS_REPORTS_ONLINE"] = str(len(answered))
    return os.environ["KERAS_REPORTS_ONLINE"] == "1"


def _ask(answered):
    import requests

    for url in HOSTS:
        with contextlib.suppress(requests.RequestException):  # over https a refusing proxy too
            requests.head(url, timeout=2)
            answered.append(url)
            return


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
    from pooch.hashes import hash_matches

    used = {name: path for name in wanted if (path := _by_hand(folder, name))}
    read = {path.name for path in used.values()}
    others = sorted(path.name for path in folder.glob("[!.]*") if path.name not in read)
    others = [name for name in others if not name.startswith(("downloaded-", "tmp"))]
    if others and len(used) < len(wanted):
        missing = ", ".join(name for name in wanted if name not in used)
        say(f"  not read in {folder}: {', '.join(others)[:200]}; what is wanted there: {missing}")
    for name, (url, size, checksum) in wanted.items():
        if path := used.get(name):
            if not hash_matches(path, checksum):
                registered, checksum = checksum, dict(unpacked).get(name, "none")
                if not hash_matches(path, checksum):
                    fault = f"{path} is not the official file: its checksum is not {registered}"
                    way = "Put a whole copy of that in its place, or move it elsewhere."
                    raise UserError(f"{fault}. {way}")
        else:
            path = used[name] = folder / f"downloaded-{name}"
            if not (path.is_file() and hash_matches(path, checksum)):
                known = f"{size:,} bytes" if size else "size not known"
                say(f"  fetching {name}, {known}, from {url}")
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


def _download(url, checksum, path):
    """Download a file, trying twice; kept only if its checksum is right. Raises Unavailable."""
    import pooch
    import requests

    host = urlsplit(url).hostname
    if host not in LOOPBACK and not online():
        raise Unavailable("no network")
    pooch.get_logger().setLevel("ERROR")
    http = pooch.HTTPDownloader(sys.stderr.isatty(), chunk_size=1 << 16, timeout=(10, SILENCE))
    known = dict(registry={path.name: checksum}, urls={path.name: url}, retry_if_failed=1)
    try:
        pooch.create(path.parent, base_url="", **known).fetch(path.name, downloader=http)
    except requests.RequestException as error:  # refused, cut off, stalled
        reason = " ".join(str(error).split())[:200]
        raise Unavailable(f"cannot download ({reason})") from error
    except ValueError as error:
        fault = f"wrong checksum: what {host} sent is not the registered file"
        raise Unavailable(fault) from error

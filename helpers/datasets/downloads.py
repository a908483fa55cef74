"""Official files: TensorFlow Datasets' download manager and registered checksums, or files put in place by hand."""

import contextlib
import hashlib
import os
import shutil
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
    """Whether a host of the official data answers, through the proxy that the environment names, if any.

    Found out once, within five seconds; child processes inherit the answer in KERAS_REPORTS_ONLINE.
    """
    if "KERAS_REPORTS_ONLINE" not in os.environ:
        answered, answers = threading.Event(), []

        def ask(url):
            answers.append(_answers(url))
            if answers[-1] or len(answers) == len(HOSTS):
                answered.set()

        for url in HOSTS:  # daemon threads: looking a name up has no time limit of its own
            threading.Thread(target=ask, args=(url,), daemon=True).start()
        answered.wait(4.5)
        os.environ["KERAS_REPORTS_ONLINE"] = "1" if any(answers) else "0"
    return os.environ["KERAS_REPORTS_ONLINE"] == "1"


def _answers(url):
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import Request, build_opener

    try:
        build_opener().open(
            Request(url, method="HEAD"), timeout=4
        ).close()  # takes proxies from the environment
    except HTTPError:
        return True  # the host answered; over https a refusing proxy raises OSError instead
    except (OSError, HTTPException, ValueError):
        return False
    return True


def registered(builder):
    """Official files {file name: (address, bytes, sha256)} of TensorFlow Datasets' MNIST, FashionMNIST or EMNIST."""
    try:
        from tensorflow_datasets.image_classification import mnist
    except ImportError as error:
        raise Unavailable(
            f"addresses and checksums come from tensorflow-datasets, which cannot be imported ({error}): "
            "install it, or give MIRROR=DIR"
        ) from error
    infos = getattr(mnist, builder).url_infos
    return {
        urlsplit(url).path.rsplit("/", 1)[-1]: (url, int(info.size), info.checksum)
        for url, info in infos.items()
    }


def fetch(folder, wanted, say=print):
    """Paths {file name: path} of `wanted` {file name: (address, bytes or None, checksum or None)}.

    A file of that name put into `folder` by hand is taken; else one downloaded earlier; else it is downloaded. Each is
    compared with its checksum (SHA-256 or MD5, told by length) before it is handed out. Raises Unavailable where one
    cannot be had, UserError where a file put there by hand is not the official one.
    """
    found = {name: folder / name for name in wanted if (folder / name).is_file()}
    for name, path in found.items():
        if not _intact(path, wanted[name][2]):
            raise UserError(
                f"{path} is not the official file: its checksum differs from {wanted[name][2]}. "
                "Delete it, or replace it by a whole copy."
            )
    missing = {name: wanted[name] for name in wanted if name not in found}
    if missing:
        for name, (url, size, checksum) in missing.items():
            say(
                f"  fetching {name}, {f'{size:,} bytes' if size else 'size not known'}, "
                f"{f'checksum {checksum[:12]}...' if checksum else 'no checksum known'}, from {url}"
            )
        found |= _download(folder, missing)
    for name, path in found.items():
        verdict = (
            "checksum right"
            if wanted[name][2]
            else f"no checksum known; sha256 seen: {files.sha256(path)}"
        )
        say(f"  {name}: {path.stat().st_size:,} bytes, {verdict}")
    return found


def _intact(path, checksum):
    if checksum is None:
        return True
    with open(path, "rb") as file:
        return (
            hashlib.file_digest(file, "md5" if len(checksum) == 32 else "sha256").hexdigest()
            == checksum
        )


def _download(folder, wanted):
    """Download through TensorFlow Datasets, with progress; files are kept, and used again while intact."""
    try:
        import requests
        import tensorflow_datasets as tfds
        from tensorflow_datasets.core.download import checksums
        from tensorflow_datasets.core.download.download_manager import NonMatchingChecksumError
    except ImportError as error:
        raise Unavailable(
            f"downloads go through tensorflow-datasets, which cannot be imported ({error}): "
            f"install it, put {', '.join(wanted)} into {folder}, or give MIRROR=DIR"
        ) from error
    infos = {
        url: checksums.UrlInfo(size=tfds.core.utils.Size(size), checksum=checksum, filename=name)
        for name, (url, size, checksum) in wanted.items()
        if size and checksum
    }
    before = set(folder.glob("*.tmp.*"))
    for last_try in (False, True):
        try:
            with _patience():
                manager = tfds.download.DownloadManager(
                    download_dir=folder, extract_dir=folder, url_infos=infos
                )
                # One after the other: where one fails, no other goes on in the background.
                found = {name: Path(manager.download(url)) for name, (url, _, _) in wanted.items()}
        except requests.RequestException as error:  # refused, cut off, stalled
            if last_try:
                raise Unavailable(
                    f"cannot download ({' '.join(str(error).split())[:200]})"
                ) from error
            continue
        except tfds.download.DownloadError as error:  # an answer other than 200
            raise Unavailable(f"cannot download ({error})") from error
        except NonMatchingChecksumError as error:
            host = urlsplit(next(iter(wanted.values()))[0]).hostname
            raise Unavailable(
                f"wrong checksum: what {host} sent is not the registered file"
            ) from error
        finally:
            for left in set(folder.glob("*.tmp.*")) - before:
                shutil.rmtree(left, ignore_errors=True)
        wrong = {name: path for name, path in found.items() if not _intact(path, wanted[name][2])}
        if not wrong:
            return found
        for path in (
            wrong.values()
        ):  # altered since it was downloaded, or never checked by the manager: once more
            path.unlink()
            path.with_name(path.name + ".INFO").unlink(missing_ok=True)
    raise Unavailable(f"wrong checksum: {', '.join(wrong)} as sent is not the official file")


@contextlib.contextmanager
def _patience():
    """While it holds: no try at all without network, three retries instead of ten, and no waiting for ever.

    TensorFlow Datasets sets no time limit and offers no way to set one, and a server that stalls would hang the run.
    """
    import requests
    from tensorflow_datasets.core.download import downloader

    get, retries = requests.Session.get, downloader.MAX_RETRIES

    def limited(session, url, **options):
        if urlsplit(url).hostname not in LOOPBACK and not online():
            raise requests.ConnectionError("no network")
        return get(session, url, timeout=(10, SILENCE), **options)

    requests.Session.get, downloader.MAX_RETRIES = limited, 3
    try:
        yield
    finally:
        requests.Session.get, downloader.MAX_RETRIES = get, retries

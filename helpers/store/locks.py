"""One process at a time: locks on files, which end with the process that holds them, however it ends."""

import contextlib
import errno
import fcntl
import os
import socket
import threading
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from helpers.store.paths import UserError

UNSUPPORTED = (
    errno.ENOLCK,
    errno.ENOSYS,
    errno.EOPNOTSUPP,
)  # what a file system without locks answers
_threads = defaultdict(threading.RLock)
_held = set()


@contextlib.contextmanager
def held(path, taken):
    """Hold the lock file `path` while the block runs; it is made, and removed at the end. Yields whether another process had it first.

    Where another process has it, `taken(holder)` is called once with a few words on that process: it raises UserError to refuse, or returns to
    wait. flock(2) is released by the system when its holder ends. Inside a block of the same thread the lock is not asked for again. On a file
    system without locks the block runs without one. Raises UserError where the folder cannot be written.
    """
    path = Path(path)
    with _threads[path]:
        if path in _held:
            yield False
            return
        file, waited = _acquire(path, taken)
        _held.add(path)
        try:
            yield waited
        finally:
            _held.discard(path)
            with contextlib.suppress(OSError):
                path.unlink()
            file.close()


def tidy(path):
    """Remove the lock file that a killed process left, unless another process holds it."""

    def leave(holder):
        raise BlockingIOError

    if Path(path).exists():
        with contextlib.suppress(BlockingIOError), held(path, leave):
            pass


def _acquire(path, taken):
    """The locked file, and whether it had to be waited for."""
    waited = False
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "a+b", buffering=0)
        except OSError as error:
            raise UserError(
                f"Cannot write {path}: {error.strerror}. Choose a folder you may write to, with OUT=DIR or DATA_DIR=DIR."
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                file.seek(0)
                holder = file.read().decode(errors="replace").strip() or "another process"
            if not waited:
                taken(holder)
            waited = True
            time.sleep(0.2)
            continue
        except OSError as error:
            if error.errno in UNSUPPORTED:
                return file, False
            file.close()
            raise
        if _current(file, path):
            _sign(file)
            return file, waited
        file.close()  # its holder has removed it just now


def _current(file, path):
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _sign(file):
    """Who holds it, for whoever comes second. A full disk takes the words and leaves the lock."""
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(
            f"process {os.getpid()} on {socket.gethostname()}, since {datetime.now():%H:%M:%S}".encode()
        )

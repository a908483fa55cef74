"""One process at a time: locks on files, which end with their process, however it ends."""

import contextlib
import errno
import fcntl
import os
import socket
import threading
from collections import defaultdict
from datetime import datetime
from pathlib import Path

from helpers.store.files import unwritable

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system without locks
_threads = defaultdict(threading.RLock)
_held = set()


@contextlib.contextmanager
def held(path, taken):
    """Hold the lock file `path` while the block runs; it is made, and removed at the end.

    Where another process has it, `taken(holder)` is called first with a few words on that process:
    it raises UserError to refuse, or returns to wait. Inside a block of the same thread the lock is
    not asked for again. flock(2) is released by the system when its holder ends; on a file system
    without locks the block runs without one. Raises UserError where the folder cannot be written.
    """
    path = Path(path)
    with _threads[path]:
        if path in _held:
            yield
            return
        with _acquired(path, taken):
            _held.add(path)
            try:
                yield
            finally:
                _held.discard(path)
                path.unlink(missing_ok=True)


def _acquired(path, taken):
    """The lock file, open and locked."""
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = open(path, "a+b", buffering=0)
        except OSError as error:
            raise unwritable(path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            taken(file.read().decode(errors="replace").strip() or "another process")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            return file
        with contextlib.suppress(FileNotFoundError):  # its holder has removed it just now
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                _sign(file)
                return file
        file.close()


def _sign(file):
    """Who holds it, for whoever comes second. A full disk takes the words and leaves the lock."""
    since = f"{datetime.now():%H:%M:%S}"
    with contextlib.suppress(OSError):
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, since {since}".encode())

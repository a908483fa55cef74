"""What a process does first, so that it starts fast and a user's own settings do not matter."""

import atexit
import contextlib
import os
import shutil
import sys
import tempfile

from helpers.store import paths


def settle():
    """Keep a user's own settings away from this process and its children.

    Matplotlib reads no matplotlibrc, and Jupyter takes this environment's kernel before one of the
    same name in the user's folder. A HOME that cannot be written is replaced by a temporary one,
    where IPython and Matplotlib keep what they like. Kernels import this folder's code, even where
    the environment was installed for a copy of it.
    """
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    own = [str(paths.ROOT), *(path for path in known if path not in ("", str(paths.ROOT)))]
    os.environ["PYTHONPATH"] = os.pathsep.join(own)
    os.environ.update(MATPLOTLIBRC=os.devnull, JUPYTER_PREFER_ENV_PATH="1")
    if not os.access(os.environ.get("HOME") or os.path.expanduser("~"), os.W_OK):
        os.environ["HOME"] = tempfile.mkdtemp(prefix="home-")
        atexit.register(shutil.rmtree, os.environ["HOME"], ignore_errors=True)


@contextlib.contextmanager
def plain_ipython():
    """A kernel that is started in this block gets an IPython folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True) as folder:
        before = os.environ.get("IPYTHONDIR")
        os.environ["IPYTHONDIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("IPYTHONDIR")
            os.environ.update({"IPYTHONDIR": before} if before else {})


def without_grammars():
    """Spare `import papermill` more than half of its time; call it before papermill or nbformat.

    jsonschema loads `rfc3987_syntax` where it is installed, to check fields of the format "iri",
    which notebooks do not have. Marked like this, importing it raises ImportError.
    """
    sys.modules.setdefault("rfc3987_syntax", None)

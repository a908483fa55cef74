"""What runs are forked from: a process that has imported what notebooks import, and no more.

The imports take longer than all else of a small run; a fork takes milliseconds. It is sound while
there is one thread and no device is open, so nothing here may call an operation of TensorFlow. What
libraries read from the environment as they are loaded, numbers of threads among it, is the same for
all runs that are forked. Only `execution.Fork` has this imported, in a process of its own.
"""

import gc
import importlib
import os
import pkgutil

import helpers
from helpers.store import kernels, startup

os.setsid()  # Ctrl-C is for the grid, which ends its children itself
startup.without_grammars()
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a kernel does
for name in "helpers.store.backend matplotlib_fontja seaborn papermill ipykernel.kernelapp".split():
    importlib.import_module(name)
for chapter in pkgutil.iter_modules(helpers.__path__):
    importlib.import_module(f"helpers.{chapter.name}")
gc.freeze()  # so that no collection in a fork looks at, and copies, what lies here
SOUND = kernels.sound()

"""What users and CI wait for: the overhead of a run, the test suite, the first finished notebook.

These rows take long: `overhead` half an hour, `suite` two hours, `cold` the time of six downloads
of every dependency. Linux only.
"""

import os
import sys
import tempfile
from pathlib import Path

from benchmarks import measure
from benchmarks.whole import PYTHON, Folder, papermill, seconds, told
from helpers import runs
from helpers.store import paths

BEFORE = "a95ae24"  # the commit before runs were forked
FIRST = "mnist-mlp"


def overhead(say=print):
    """Row `overhead`: processor seconds of a grid of all runs of the smoke profile, divided by
    their number, over those of `import keras` in a fresh interpreter."""
    names = runs.select()
    say(f"  {len(names)} runs of the smoke profile; processor seconds a run over `import keras`")
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(name, names)

        def ours():
            folder.clear()
            grid = [PYTHON, "-m", "grid", "--profile", "smoke"]
            return processor_seconds(grid, folder.environment) / len(names)

        def bare():
            return processor_seconds([PYTHON, "-c", "import keras"], folder.environment)

        return {"overhead": measure.ratios(measure.alternate(ours, bare, say))}


def processor_seconds(command, environment):
    """Processor seconds, user's and system's, of a command and of all processes that it starts,
    those that outlive their parents included."""
    return float(told([PYTHON, "-m", "benchmarks.felt", *command], environment)[1].split()[-1])


def account(command):
    """Run a command in this process's place; print the processor seconds as the last word."""
    import ctypes
    import resource
    import subprocess

    adopt_orphans = 36  # PR_SET_CHILD_SUBREAPER of Linux's prctl
    if ctypes.CDLL(None).prctl(adopt_orphans, 1, 0, 0, 0):
        raise OSError("this system does not let a process adopt its grandchildren")
    status = subprocess.call(command)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(used.ru_utime + used.ru_stime)
    return status


def suite(say=print):
    """Row `suite`: seconds of `make test` and `make test-faults` of the commit before over those of
    the present one, each in a clone of its own with this environment."""
    say(f"  make test and make test-faults; seconds, commit {BEFORE} over the present one")
    with tempfile.TemporaryDirectory() as name:
        clones = {commit: _clone(f"{name}/{commit}", commit) for commit in (BEFORE, "HEAD")}
        for folder in clones.values():
            (folder / ".venv").symlink_to(Path(sys.prefix))

        def tests(commit):
            words = ["make", "-o", ".venv/.ready", "test", "test-faults"]
            return lambda: seconds(words, {}, clones[commit])

        return {"suite": measure.ratios(measure.alternate(tests(BEFORE), tests("HEAD"), say))}


def _clone(folder, commit="HEAD"):
    for words in (["clone", "-q", paths.ROOT, folder], ["-C", folder, "checkout", "-q", commit]):
        seconds(["git", *words], {})
    return Path(folder)


def cold(say=print):
    """Row `cold`: seconds from a fresh clone to the first finished notebook, over `pip install` of
    the same lock and papermill of that notebook."""
    say(f"  {FIRST} of the smoke profile from nothing; seconds, ours over pip and papermill")
    with tempfile.TemporaryDirectory() as name:
        Folder(name, [FIRST])  # draws the stand-ins
        environment = {"DATA": "stand-in", "KERAS_REPORTS_ONLINE": "0", "OUT": f"{name}/out"}
        lock, turn = f"{name}/requirements.txt", iter(range(99))
        export = ["export", "-q", "--frozen", "--no-emit-project", "-o", lock]
        seconds([Path(PYTHON).with_name("uv"), *export], {})

        def ours():
            clone = _clone(f"{name}/ours-{next(turn)}")
            words = ["-m", "grid", "--profile", "smoke", "--runs", FIRST]
            own = {**environment, "OUT": f"{clone}/out", "DATA_DIR": str(paths.DATA)}
            ready = seconds(["make", ".venv/.ready"], own, clone)
            return ready + seconds([".venv/bin/python", *words], own, clone)

        def theirs():
            clone = _clone(f"{name}/theirs-{next(turn)}")
            python, own = clone / ".venv/bin/python", {**environment, "PYTHONPATH": str(clone)}
            _, *words = papermill(FIRST, "smoke", clone / "first.ipynb")
            return sum(
                seconds(command, {**own, "DATA_DIR": str(paths.DATA)}, clone)
                for command in (
                    [sys.executable, "-m", "venv", ".venv"],
                    [python, "-m", "pip", "install", "-q", "-r", lock],
                    [python, *words],
                )
            )

        return {"cold": measure.ratios(measure.alternate(ours, theirs, say))}


if __name__ == "__main__":
    sys.exit(account(sys.argv[1:]))

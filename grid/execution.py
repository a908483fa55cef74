"""One run, executed: papermill in a process of its own, which ends when its parent does.

`execute` is what the grid hands to Dask. The process it starts is a `Fork` of one that has imported
Keras already, or, on a cluster and wherever forking is not sound, `python -m grid.execution`.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from multiprocessing import connection, parent_process
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from helpers import results, runs
from helpers.store import files, locks, paths, startup

CHILDREN = set()  # processes started here and not yet ended
STARTING = threading.Lock()  # starting a fork asks the others of this process whether they ended


def cores(run):
    """Cores a run asks for: one, with another run beside it, save where runs.yaml says more."""
    return runs.entry(run).get("cores", 1)


def size(state):
    """Cores and last time's seconds: the longest start first, so that no core waits at the end.
    Before there is a last time, those that train several networks, and of the rest those whose
    training took longest for the full edition that comes with the project."""
    several = runs.entry(state.run)["report"] in ("audit", "beyond", "study")
    several = several or "trials" in state.values
    if state.record:
        return cores(state.run), False, sum(seed["seconds"] for seed in state.record["seeds"])
    full = files.load_json(paths.REPORT_SOURCE / "full" / "results" / f"{state.run}.json")
    seconds = [seed["seconds"] for seed in full["seeds"]] if full else ()
    return cores(state.run), several, max(seconds, default=0)


def progress_file(run, profile):
    """Where a training tells how far it is."""
    return paths.executed(profile) / f".{run}.progress.json"


def execute(work, environment):
    """Execute a run's notebook, on whatever worker; returns what went wrong, or "", and seconds.

    `work` holds `run`, `profile`, `values` (parameters) and `limit` (seconds). Never raises for a
    failed notebook. The kernel gets an IPython folder of its own, without a user's settings.
    """
    started, progress = time.monotonic(), environment["PROGRESS_FILE"]
    try:
        files.save_json(progress, {"text": "starting"})
        with tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True) as folder:
            environment = {**os.environ, **environment, "IPYTHONDIR": folder}
            error = _in_a_process({**work, "parent": os.getpid()}, environment)
    except (OSError, EOFError, paths.UserError) as fault:  # a full disk, no more processes
        error = str(fault)
    Path(progress).unlink(missing_ok=True)
    return error, time.monotonic() - started


def _in_a_process(work, environment):
    said = Path(environment["IPYTHONDIR"], "said")
    child = (Fork if work["forked"] else _fresh)(work, environment, said)
    CHILDREN.add(child)
    try:
        child.wait(timeout=work["limit"])
    except subprocess.TimeoutExpired:
        return f"stopped after {work['limit']:.0f} s (LIMIT=SECONDS allows more)"
    finally:
        child.kill()
        child.wait()
        CHILDREN.discard(child)
    text = said.read_text(encoding="utf-8", errors="replace") if said.exists() else ""
    message = (text.strip().splitlines() or ["no message"])[-1]
    if child.returncode >= 0:
        return message if child.returncode else ""
    memory = " (out of memory?)" if child.returncode == -signal.SIGKILL else ""
    return f"killed by signal {-child.returncode}{memory}: {message}"


def _fresh(work, environment, said):
    with said.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "grid.execution", json.dumps(work)],
            cwd=paths.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for the grid, which ends its children itself
        )


class Fork(ForkServerProcess):
    """The same, forked off `grid.template`; what is needed of a `Popen`."""

    returncode = None

    def __init__(self, work, environment, said):
        super().__init__(daemon=True)  # ended and not waited for where the grid ends before it
        self.work, self.environment, self.said = work, environment, said
        with STARTING:
            self.start()

    def wait(self, timeout=None):
        """Wait until it has ended; TimeoutExpired where that takes longer than so many seconds."""
        connection.wait([self.sentinel], timeout)
        with STARTING:
            self.returncode = self.exitcode
        if self.returncode is None:
            raise subprocess.TimeoutExpired(self.name, timeout)

    def run(self):
        """What the child does."""
        import grid.template  # noqa: F401  what this is forked from has it already
        from helpers.store import kernels

        self.daemon = False  # a notebook may start processes of its own
        said, grid, parent = self.said.open("wb"), parent_process(), os.getppid()
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
        os.environ.update(self.environment)
        kernels.called("papermill")
        kernels.fork()

        def alone():
            grid.join(1)
            return not grid.is_alive() or os.getppid() != parent

        sys.exit(_work(self.work, alone))


def finish(state, error):
    """Look at what an execution left behind; returns whether it is whole, and what came of it.

    `state` is from before: a notebook that left no new record has failed, however it ended. The
    executed notebook becomes RUN.ipynb, or RUN.failed.ipynb where it is a part only.
    """
    run, folder = state.run, paths.executed(state.profile)
    record, before = results.load(state.profile, run), state.record
    if not error and (not record or before and record["finished"] == before["finished"]):
        error = "the notebook ended before it saved its record"
    partial, failed = folder / f".{run}.partial.ipynb", folder / f"{run}.failed.ipynb"
    _tidy(folder / f".{run}.execution.lock")
    if partial.exists() and files.load_json(partial) is None:  # cut off by a full disk or a kill
        partial.unlink()
        error = error or "its executed notebook could not be written"
    failed.unlink(missing_ok=True)
    if partial.exists():
        os.replace(partial, failed if error else folder / f"{run}.ipynb")
    if error:
        return False, f"FAILED: {error}" + f" (its notebook: {failed})" * failed.exists()
    scores, data = [seed["test_accuracy"] for seed in record["seeds"]], record["dataset"]
    label = "STAND-IN" if data["kind"] == "stand-in" else data["label"]  # what for, is told above
    several = f", n = {len(scores)}" if len(scores) > 1 else ""
    return True, f"test accuracy {sum(scores) / len(scores):.4f}{several}, {label}"


def _tidy(lock):
    """Remove the lock file that a killed process left, unless another process holds it."""

    def leave(holder):
        raise paths.UserError(holder)

    if lock.exists():
        with contextlib.suppress(paths.UserError), locks.held(lock, leave):
            pass


def _work(work, alone):
    """Execute the notebook, print what went wrong and return whether anything did; end, and with
    this the kernel, as soon as `alone()`, which waits a second, is true."""

    def watch():
        while not alone():
            pass
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    problem = _notebook(work)
    print(" ".join(problem.split())[:500], flush=True)
    return bool(problem)


def _notebook(work):
    """Execute the notebook, alone; returns what went wrong, or ""."""
    startup.without_grammars()
    import papermill

    run, folder = work["run"], paths.executed(work["profile"])
    try:
        # Another process may be at it still, whose grid is gone, on another machine of a cluster.
        with locks.held(folder / f".{run}.execution.lock", lambda holder: None):
            papermill.execute_notebook(
                paths.literal(paths.NOTEBOOKS / f"{runs.entry(run)['notebook']}.ipynb"),
                paths.literal(folder / f".{run}.partial.ipynb"),
                parameters=work["values"],
                cwd=paths.NOTEBOOKS,
                kernel_name="python3",
                language="python",
                start_timeout=work["limit"],  # papermill's minute is short on a busy machine
                progress_bar=False,
            )
    except Exception as fault:  # a dead kernel or a full disk is told like a cell that failed
        name, text = getattr(fault, "ename", type(fault).__name__), getattr(fault, "evalue", fault)
        return str(text) if name == "UserError" else f"{name}: {text}"
    return ""


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    startup.settle()
    sys.exit(_work(wanted, lambda: time.sleep(1) or os.getppid() != wanted["parent"]))

"""One run, executed: papermill in a process of its own, which ends when its parent does.

`execute` is what the grid hands to Dask; `python -m grid.execution` is the process it starts.
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
from pathlib import Path

from helpers import results, runs
from helpers.store import files, locks, paths, startup

CHILDREN = set()  # processes started here and not yet ended


def cores(run):
    """Cores a run asks for: one, with another run beside it, save where runs.yaml says more."""
    return runs.entry(run).get("cores", 1)


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
    except (OSError, paths.UserError) as fault:  # a full disk, no more processes
        error = str(fault)
    Path(progress).unlink(missing_ok=True)
    return error, time.monotonic() - started


def _in_a_process(work, environment):
    child = subprocess.Popen(
        [sys.executable, "-m", "grid.execution", json.dumps(work)],
        cwd=paths.ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # Ctrl-C is for the grid, which ends its children itself
    )
    CHILDREN.add(child)
    try:
        output, _ = child.communicate(timeout=work["limit"])
    except subprocess.TimeoutExpired:
        return f"stopped after {work['limit']:.0f} s (LIMIT=SECONDS allows more)"
    finally:
        child.kill()
        child.wait()
        CHILDREN.discard(child)
    message = (output.strip().splitlines() or ["no message"])[-1]
    if child.returncode >= 0:
        return message if child.returncode else ""
    memory = " (out of memory?)" if child.returncode == -signal.SIGKILL else ""
    return f"killed by signal {-child.returncode}{memory}: {message}"


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


def _end_with(parent):
    """End this process, and with it the kernel, when the one that asked for it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


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
    threading.Thread(target=_end_with, args=(wanted["parent"],), daemon=True).start()
    startup.settle()
    problem = _notebook(wanted)
    print(" ".join(problem.split())[:500])
    sys.exit(bool(problem))

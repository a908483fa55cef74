"""One run, executed: papermill in a process of its own, which ends when its parent does.

`execute` is what the grid hands to Dask; `python -m grid.execution` is the process it starts.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from helpers import integrity, results, runs
from helpers.store import files, locks, paths, startup

LIMITS = {"smoke": 600, "quick": 1800}  # seconds a run may take; a day otherwise
CHILDREN = set()  # process groups started here and not yet ended


def cores(run):
    """Cores a run asks for. A small network is fastest on one, with another run beside it; runs.yaml names the exceptions."""
    return runs.entry(run).get("cores", 1)


def execute(run, profile, values, environment, threads):
    """Execute a run's notebook, on whatever worker; returns {"seconds", "error"}, and never raises for a failed notebook."""
    started, progress = time.monotonic(), environment["PROGRESS_FILE"]
    limit = float(environment.get("LIMIT") or LIMITS.get(profile, 86400))
    threads = {
        name: str(threads)
        for name in (
            "TF_NUM_INTRAOP_THREADS",
            "TF_NUM_INTEROP_THREADS",
            "OMP_NUM_THREADS",
            "OPENBLAS_NUM_THREADS",
        )
    }
    environment = {
        **os.environ,
        **environment,
        **threads,
        "TF_CPP_MIN_LOG_LEVEL": "2",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    }  # runs may share one graphics card
    specification = json.dumps(
        {"run": run, "profile": profile, "values": values, "parent": os.getpid()}
    )
    try:
        files.save_json(progress, {"text": "starting"}, durable=False)
        child = subprocess.Popen(
            [sys.executable, "-m", "grid.execution", specification],
            cwd=paths.ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, paths.UserError) as error:  # a full disk, no more processes
        return {"seconds": 0, "error": str(error)}
    CHILDREN.add(child.pid)
    try:
        output, errors = child.communicate(timeout=limit)
        last = output.strip().splitlines()[-1:]
        error = (
            json.loads(last[0])["error"]
            if child.returncode == 0 and last
            else _died(child.returncode, errors)
        )
    except subprocess.TimeoutExpired:
        error = f"stopped after {limit:.0f} s (LIMIT=SECONDS allows more)"
    finally:
        kill(child.pid)
        child.wait()
        CHILDREN.discard(child.pid)
        Path(progress).unlink(missing_ok=True)
    return {"seconds": time.monotonic() - started, "error": error}


def finish(run, profile, outcome, before):
    """Look at what an execution left behind, where the results lie; returns {"ok", "seconds", "error", "notebook"}.

    `before` is the record that was there when it started: a notebook that left no new one has failed, however it ended. The executed notebook gets
    its final name, RUN.ipynb, or RUN.failed.ipynb for a partial one.
    """
    record, error = results.load(profile, run), outcome["error"]
    if not error and (not record or before and record["finished"] == before["finished"]):
        error = "the notebook ended before it saved its record"
    folder = paths.executed(profile)
    partial = folder / f".{run}.partial.ipynb"
    if (
        partial.exists() and files.load_json(partial) is None
    ):  # cut off, by a full disk or a kill while it was written
        partial.unlink()
        error = error or "its executed notebook could not be written"
    final = folder / (f"{run}.failed.ipynb" if error else f"{run}.ipynb")
    if partial.exists():
        os.replace(partial, final)
    locks.tidy(folder / f".{run}.execution.lock")
    if not error:
        integrity.note_notebook(profile, run)
        (folder / f"{run}.failed.ipynb").unlink(missing_ok=True)
    return {
        "ok": not error,
        "seconds": outcome["seconds"],
        "error": error,
        "notebook": str(final) if final.exists() else "",
    }


def progress_file(run, profile):
    """Where a training tells how far it is."""
    return paths.executed(profile) / f".{run}.progress.json"


def kill(group):
    """End a process group started here."""
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        return  # it has ended by itself


def kill_all():
    """End every process started here, for an interrupted grid."""
    for group in list(CHILDREN):
        kill(group)


def _died(status, errors):
    reason = (
        f"killed by signal {-status}" + (" (out of memory?)" if status == -9 else "")
        if status < 0
        else f"exit status {status}"
    )
    return f"{reason}: {(errors.strip().splitlines() or ['no message'])[-1]}"


def _watch(parent):
    """End this process, and with it the kernel, when the one that asked for it is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os.killpg(os.getpgid(0), signal.SIGKILL)


def _main(specification):
    """Execute the notebook, alone; print {"error": ...} as the last line."""
    if specification["parent"] == os.getppid():
        threading.Thread(target=_watch, args=(specification["parent"],), daemon=True).start()
    files.settle()
    run, profile = specification["run"], specification["profile"]
    # Another process may be at it still: one whose grid is gone, on another machine of a cluster.
    with locks.held(
        paths.executed(profile) / f".{run}.execution.lock",
        lambda holder: print(f"{run}: waiting for {holder}", file=sys.stderr),
    ) as waited:
        error = "" if waited and _finished(specification) else _notebook(specification)
    print(json.dumps({"error": " ".join(error.split())[:500]}))


def _finished(specification):
    """Whether the process that was waited for has left the record that was asked for."""
    record = results.load(specification["profile"], specification["run"])
    whole = (
        record
        and results.whole(specification["profile"], record)
        and record["fingerprint"] == os.environ.get("RUN_FINGERPRINT")
    )
    return whole and len(record["seeds"]) >= specification["values"].get("seeds", 1)


def _notebook(specification):
    """Execute the notebook; returns what went wrong, if anything did."""
    startup.without_grammars()
    import papermill
    from papermill.exceptions import PapermillExecutionError

    run, profile = specification["run"], specification["profile"]
    source, folder = (
        paths.NOTEBOOKS / f"{runs.entry(run)['notebook']}.ipynb",
        paths.executed(profile),
    )
    partial, error = folder / f".{run}.partial.ipynb", ""
    files.check_writable(folder)
    try:
        papermill.execute_notebook(
            source,
            partial,
            parameters=specification["values"],
            cwd=paths.NOTEBOOKS,
            kernel_name="python3",
            progress_bar=False,
            log_output=False,
        )
    except PapermillExecutionError as failure:
        error = (
            failure.evalue if failure.ename == "UserError" else f"{failure.ename}: {failure.evalue}"
        )
    except Exception as failure:  # a dead kernel, a full disk: told like any other failure, and the partial notebook stays
        error = f"{type(failure).__name__}: {failure}"
    return error


if __name__ == "__main__":
    _main(json.loads(sys.argv[1]))

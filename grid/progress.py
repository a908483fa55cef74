"""The runs on Dask, and what one sees of them: a line for each that ends, and what is at work."""

import contextlib
import gc
import logging
import os
import sys
import threading
import time
import warnings
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess

from grid import execution
from helpers.store import files, machine, paths

# What notebooks read from the environment, on a cluster too.
PASSED_ON = (
    "MIRROR",
    "DATA",
    "KERAS_BACKEND",
    "KERAS_REPORTS_ONLINE",
    "LIMIT",
    "FORCE",
    "RUNS_FILE",
)
THREADS = "TF_NUM_INTRAOP_THREADS TF_NUM_INTEROP_THREADS OMP_NUM_THREADS OPENBLAS_NUM_THREADS"
LIMITS = {"smoke": 600, "quick": 1800}  # seconds a run may take; a day otherwise
HEARTBEAT = 30  # seconds between two lines on what is at work, where there is no terminal


def watch(stale):
    """Execute runs, given as `states.State`; returns `execution.finish`'s answer for each run."""
    futures, forked = {}, len(stale) > 1 and _importing()
    with _client() as client:
        try:
            forked = forked and _can_fork()
            for place, state in enumerate(sorted(stale, key=execution.size, reverse=True)):
                execution.progress_file(state.run, state.profile).unlink(missing_ok=True)
                futures[submit(client, state, -place, forked)] = state
            return _follow(futures)
        finally:
            client.cancel(list(futures))  # those left by Ctrl-C; kernels end with their processes
            for child in list(execution.CHILDREN):
                child.kill()
            # All is done and told. A heartbeat that Dask's end cuts off is no fault of a run.
            logging.getLogger("distributed").setLevel(logging.CRITICAL)


def _importing():
    """Have Keras imported for all runs, while Dask is; False where they import it themselves: on a
    cluster, and where a fork after that may not be sound."""
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if os.environ.get("SCHEDULER") or sys.platform != "linux" or backend != "tensorflow":
        return False
    os.environ |= _places() | dict.fromkeys(THREADS.split(), "1")
    forkserver.set_forkserver_preload(["grid.template"])
    try:
        forkserver.ensure_running()
    except OSError:  # no place for its socket, no more processes
        return False
    return True


def _can_fork():
    """Whether that is done, and has left one thread, in which to fork is sound."""
    child = ForkServerProcess(target=_check)
    try:
        child.start()
    except (OSError, EOFError):  # it has ended
        return False
    child.join()
    return child.exitcode == 0


def _check():
    from grid import template

    sys.exit(not template.SOUND)


def _places():
    return {"OUT": str(paths.OUT), "DATA_DIR": str(paths.DATA)}


def _client():
    with contextlib.suppress(AssertionError):  # of Dask: its thread began too late, after a pause
        return _connected()
    gc.collect()  # as below
    return _connected()


def _connected():
    import dask
    from distributed import Client

    address = os.environ.get("SCHEDULER")
    if address:
        client = None
        with contextlib.suppress(OSError, TypeError, ValueError):  # also: an address that cannot be
            client = Client(address, timeout="10s")
        if not client:
            # The half-made client closes itself as it is collected. Left to chance, that may come
            # while this thread holds the very lock of Dask's that closing waits for.
            gc.collect()
            remedy = "start one with `dask scheduler`, or leave SCHEDULER out."
            raise paths.UserError(f"No Dask scheduler answers at {address}: {remedy}")
        if not _workers(client):
            print(f"Waiting for a worker: `dask worker {address}` starts one.", flush=True)
            client.wait_for_workers(1)
        print(f"Dask cluster at {address}: {len(_workers(client))} workers.", flush=True)
        return client
    logging.getLogger("distributed").setLevel(logging.ERROR)
    # Without a network it takes the host's name, which here is no address that anybody asks for.
    warnings.filterwarnings("ignore", "Couldn't detect a suitable IP address")
    # The worker lives in this very process. After a pause, of a closed laptop or a stopped job,
    # Dask would take it for dead and wait for another for ever.
    dask.config.set({"distributed.scheduler.worker-ttl": None})
    # A look at the worker's stack every 10 ms costs 3 % of a core.
    quiet = {"distributed.worker.profile.enabled": False, "distributed.admin.tick.interval": "1s"}
    dask.config.set(quiet)
    cores = machine.cores()
    local = {"dashboard_address": "127.0.0.1:0", "worker_dashboard_address": "127.0.0.1:0"}
    one = {"n_workers": 1, "threads_per_worker": cores, "resources": {"cores": cores}}
    return Client(processes=False, **one, **local)  # with a cluster that it closes itself


def _workers(client):
    return client.scheduler_info(n_workers=-1)["workers"].values()


def submit(client, state, priority, forked=False):
    """Hand a run to Dask, which starts those of higher priority first; returns its future.

    A record of fewer seeds than are asked for is continued at the first that is missing.
    """
    run, profile, values, record = state.run, state.profile, dict(state.values), state.record
    same = record and record["fingerprint"] == state.fingerprint and state.why != "FORCE=1"
    if same and len(record["seeds"]) < values.get("seeds", 1):
        values["first_seed"] = len(record["seeds"])
    offered = [worker.get("resources", {}).get("cores", 0) for worker in _workers(client)]
    cores = min(execution.cores(run), max(offered, default=0) or os.cpu_count())
    limit = float(os.environ.get("LIMIT") or LIMITS.get(profile, 86400))
    environment = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    environment |= (
        _places()
        | dict.fromkeys(THREADS.split(), str(cores))
        | {
            "PROGRESS_FILE": str(execution.progress_file(run, profile)),
            "RUN_FINGERPRINT": state.fingerprint,
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",  # runs may share one graphics card
        }
    )
    work = {"run": run, "profile": profile, "values": values, "limit": limit}
    return client.submit(
        execution.execute,
        work | {"forked": forked and cores == 1},  # a number of threads is that of the import
        environment,
        pure=False,
        priority=priority,
        resources={"cores": cores} if any(offered) else None,
    )


def _follow(futures):
    """A line for each run that ends; meanwhile how far all of them are, and those at work."""
    from distributed import as_completed
    from rich.live import Live
    from rich.text import Text

    outcomes, started, states = {}, time.monotonic(), futures.values()

    def now():  # a line that is too long for the terminal is cut, for a wrapped one moves the rest
        text = _now(states, len(outcomes), time.monotonic() - started)
        return Text(text, no_wrap=True, overflow="ellipsis")

    terminal = sys.stdout.isatty()
    with Live(get_renderable=now, transient=True) if terminal else _heartbeat(now):
        for future in as_completed(futures):
            state, lost = futures[future], (f"lost by Dask: {future.status}", 0)
            error, seconds = future.result() if future.status == "finished" else lost
            outcomes[state.run] = _, text = execution.finish(state, error)
            done = f"[{len(outcomes)}/{len(futures)}] {state.run}"
            print(f"  {done}: {text} ({seconds:.0f} s)", flush=True)
    return outcomes


@contextlib.contextmanager
def _heartbeat(now):
    """Print what is at work from time to time, for as long as the block lasts."""
    ended = threading.Event()

    def beat():
        while not ended.wait(HEARTBEAT):
            print(now(), flush=True)

    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _now(stale, done, seconds):
    """How many runs are done after so many seconds, those at work, and how long the rest may take:
    as long as those done, of which there must be a tenth, for the longest start first."""
    filled = 24 * done // len(stale)
    minutes = seconds * (len(stale) - done) / max(done, 1) / 60
    left = f", about {minutes:.0f} min left" if 10 * done >= len(stale) and minutes >= 1 else ""
    head = f"  {'#' * filled:.<24} {done} of {len(stale)} runs{left}"
    files_of = {state.run: execution.progress_file(state.run, state.profile) for state in stale}
    told = {run: files.load_json(path) for run, path in files_of.items()}
    at_work = (f"  {run}: {progress['text']}" for run, progress in told.items() if progress)
    return "\n".join((head, *at_work))

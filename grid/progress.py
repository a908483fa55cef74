"""What one sees while the grid runs: a live table on a terminal, a line for each change elsewhere."""

import os
import sys
import time

from grid import execution
from helpers import results, runs
from helpers.store import files


def watch(stale, profile, submit):
    """Submit the runs named in `stale` and follow them to their end; returns a dict from run to `execution.execute`'s outcome."""
    with _client() as client:
        ordered = sorted(stale, key=lambda run: (-execution.cores(run), -_expected(run, profile)))
        for run in ordered:
            execution.progress_file(run, profile).unlink(
                missing_ok=True
            )  # an earlier grid may have been killed
        before = {run: results.load(profile, run) for run in ordered}
        futures = {run: submit(client, run, profile, -place) for place, run in enumerate(ordered)}
        board = _Board(futures, profile, before)
        try:
            return board.follow()
        except BaseException:
            client.cancel(list(futures.values()))
            raise
        finally:
            execution.kill_all()


def _client():
    import logging

    import dask
    from distributed import Client, LocalCluster

    address = os.environ.get("SCHEDULER")
    if address:
        try:
            client = Client(address, timeout="10s")
        except OSError as error:
            from helpers.store.paths import UserError

            raise UserError(
                f"No Dask scheduler answers at {address}: start one with `dask scheduler`, or leave SCHEDULER out."
            ) from error
        print(
            f"Dask cluster at {address}: {len(client.scheduler_info(n_workers=-1)['workers'])} workers.",
            flush=True,
        )
        return client
    logging.getLogger("distributed").setLevel(logging.ERROR)
    # The worker lives in this very process. After a pause, of a closed laptop or a stopped job, Dask would take it for dead and wait for another for ever.
    dask.config.set({"distributed.scheduler.worker-ttl": None})
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=cores,
        processes=False,
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
        resources={"cores": cores},
    )
    return Client(cluster)


def _expected(run, profile):
    """Seconds the run took last time, or 0: the longest start first, so that no core waits at the end."""
    record = results.load(profile, run)
    return sum(seed["seconds"] for seed in record["seeds"]) if record else 0


class _Board:
    def __init__(self, futures, profile, before):
        self.futures, self.profile, self.before = futures, profile, before
        self.outcomes, self.first_seen, self.started = {}, {}, time.monotonic()

    def follow(self):
        """Until every future has ended."""
        return self._live() if sys.stdout.isatty() else self._lines()

    def _update(self):
        """Take over finished futures; returns the run ids that ended since the last call."""
        ended = [
            run
            for run, future in self.futures.items()
            if run not in self.outcomes and future.done()
        ]
        for run in ended:
            future = self.futures[run]
            lost = {
                "seconds": time.monotonic() - self.started,
                "error": f"lost by Dask: {future.status}",
            }
            outcome = future.result() if future.status == "finished" else lost
            self.outcomes[run] = execution.finish(run, self.profile, outcome, self.before[run])
        return ended

    def _state(self, run):
        if run in self.outcomes:
            return "done" if self.outcomes[run]["ok"] else "FAILED", ""
        told = files.load_json(execution.progress_file(run, self.profile))
        return ("running", told["text"]) if told else ("queued", "")

    def left(self):
        """A rough guess of the time left, from the runs done so far."""
        if not self.outcomes:
            return "?"
        pace = (time.monotonic() - self.started) / len(self.outcomes)
        seconds = pace * (len(self.futures) - len(self.outcomes))
        return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

    def _lines(self):
        told = time.monotonic()
        while len(self.outcomes) < len(self.futures):
            for run in self._update():
                outcome = self.outcomes[run]
                word = "done" if outcome["ok"] else f"FAILED: {outcome['error']}"
                print(
                    f"  [{len(self.outcomes)}/{len(self.futures)}] {run}: {word} ({outcome['seconds']:.0f} s; about {self.left()} left)",
                    flush=True,
                )
            if time.monotonic() - told > 30:
                told = time.monotonic()
                states = [
                    f"{run} {what}"
                    for run in self.futures
                    for state, what in [self._state(run)]
                    if state == "running"
                ]
                print(f"  ... {'; '.join(states)}", flush=True)
            time.sleep(0.2)
        return self.outcomes

    def _live(self):
        from rich.live import Live

        with Live(refresh_per_second=4) as live:
            while len(self.outcomes) < len(self.futures):
                self._update()
                live.update(self._table())
                time.sleep(0.25)
            live.update(self._table())
        return self.outcomes

    def _table(self):
        from rich.table import Table

        colours = {"done": "green", "FAILED": "bold red", "running": "cyan", "queued": "dim"}
        table = Table(
            title=f"profile {self.profile}: {len(self.outcomes)} of {len(self.futures)} runs, about {self.left()} left",
            box=None,
            title_justify="left",
        )
        for run in runs.select(list(self.futures)):
            state, what = self._state(run)
            table.add_row(run, f"[{colours[state]}]{state}[/]", what)
        return table

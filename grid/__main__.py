"""Executes what is stale, side by side on Dask, and tells how it goes.

    python -m grid --profile quick [--runs a,b] [--list]

Environment: MIRROR, DATA, DATA_DIR and OUT as in the README; SCHEDULER=tcp://host:port for a Dask
cluster that shares this folder; FORCE=1 runs everything again; SEEDS=n asks for another number of
seeds; LIMIT seconds a run may take. Exit status 0 only if every run is done.
"""

import argparse
import contextlib
import importlib.util
import os
import re
import sys
from collections import Counter
from functools import partial

from grid import states
from helpers import runs
from helpers.store import files, locks, paths, startup

SETTINGS = {  # what each may be, and what to do about another value; helpers check the others
    "FORCE": ("[01]", "give 1 to run everything again, or leave FORCE out"),
    "KERAS_BACKEND": ("tensorflow|jax|torch", "use tensorflow, jax or torch"),
    "LIMIT": (r"\d*[1-9]\d*(\.\d+)?", "give the seconds that a run may take"),
    "SCHEDULER": (
        r"(?!https?:)\w+://.+:\d+",
        "give the tcp:// address that `dask scheduler` prints",
    ),
}


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m grid", description="Execute stale runs.")
    parser.add_argument("--profile", default="quick", help="smoke, quick or full")
    parser.add_argument("--runs", default="", help="run ids, separated by commas; all by default")
    parser.add_argument("--list", action="store_true", help="say what is stale, execute nothing")
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        names = runs.select(options.runs.replace(",", " ").split(), options.profile)
        check_settings(options.profile)
        if options.list:
            stale = [s for s in states.read(names, options.profile) if s.why or s.fault]
            for state in stale:
                print(f"  {state.run}: {state.why or state.fault}")
            print(f"{len(stale)} of {len(names)} runs of profile {options.profile} are to do.")
            return 0
        return 0 if bring_up_to_date(names, options.profile) else 1
    except paths.UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        kept = "what was finished is kept, and the next `make all` goes on from there"
        print(f"\nInterrupted: {kept}.", file=sys.stderr)
        return 130


def check_settings(profile):
    """Raise UserError for settings that cannot work, before anything is started."""
    for name, (pattern, remedy) in SETTINGS.items():
        value = os.environ.get(name)
        if value and not re.fullmatch(pattern, value):
            raise paths.UserError(f"{name}={value}: {remedy}.")
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if not importlib.util.find_spec(backend):
        remedy = "start .venv/bin/python, which `make` sets up, or choose another KERAS_BACKEND"
        raise paths.UserError(f"{backend} is not installed for {sys.executable}: {remedy}.")
    if profile == "full":
        if os.environ.get("DATA") == "stand-in":
            raise paths.UserError("Profile full is for real images only: leave DATA out.")
        os.environ["DATA"] = "real"


def bring_up_to_date(names, profile):
    """Execute those of the named runs that are stale; True if all ended well."""
    stale = [state.run for state in states.read(names, profile) if state.why or state.fault]
    folder, notebooks = paths.results(profile), paths.executed(profile)
    if not stale:
        print(f"All {len(names)} runs of profile {profile} are up to date ({folder}).")
        return True
    files.check_writable(folder)
    with contextlib.ExitStack() as stack:
        for run in stale:
            stack.enter_context(locks.held(notebooks / f".{run}.lock", partial(_refuse, run)))
        again = [state for state in states.read(stale, profile) if state.why or state.fault]
        reasons = Counter(state.why or "cannot be executed" for state in again)
        why = "; ".join(f"{count} {reason}" for reason, count in reasons.items())
        print(f"Profile {profile}: {len(again)} of {len(names)} runs to do: {why}.", flush=True)
        return not again or execute(again)


def _refuse(run, holder):
    remedy = "Wait for it to end, or choose other runs with RUNS= or another place with OUT=DIR"
    raise paths.UserError(f"Another grid is at work on {run}: {holder}. {remedy}.")


def execute(stale):
    """Execute stale runs, which nobody else executes meanwhile; True if all ended well."""
    refused = states.prepare(stale)
    from grid.progress import watch  # Dask, which a grid with nothing to do never loads

    outcomes = {run: (False, f"FAILED: {error}") for run, error in refused.items()}
    outcomes |= watch([state for state in stale if state.run not in refused])
    failed = {run: text for run, (whole, text) in outcomes.items() if not whole}
    print("", *(f"  {run}  {text}" for run, text in failed.items()), sep="\n")
    done = len(stale) - len(failed)
    print(f"{done} runs done, {len(failed)} failed." if failed else f"All {done} runs done.")
    return not failed


if __name__ == "__main__":
    sys.exit(main())

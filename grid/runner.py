"""The grid: executes what is stale, side by side on Dask, and tells how it goes.

    python -m grid --profile quick [--runs a,b]

Environment: MIRROR, DATA, DATA_DIR and OUT as in the README; SCHEDULER=tcp://host:port for a Dask cluster that shares this folder; FORCE=1 runs
everything again; SEEDS=n asks for another number of seeds; LIMIT seconds a run may take. Exit status 0 only if every run is done.
"""

import argparse
import contextlib
import importlib.util
import os
import re
import sys
import time

from grid import execution
from helpers import datasets, integrity, results, runs
from helpers.store import files, locks, paths
from helpers.store.paths import UserError

PASSED_ON = ("MIRROR", "DATA", "KERAS_BACKEND", "KERAS_REPORTS_ONLINE", "LIMIT", "FORCE")


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m grid",
        description="Execute the runs of notebooks/runs.yaml that are not up to date.",
    )
    parser.add_argument("--profile", default="quick", help="smoke, quick or full")
    parser.add_argument("--runs", default="", help="run ids, separated by commas; all by default")
    options = parser.parse_args(arguments)
    files.settle()
    try:
        return (
            0
            if run_grid(options.profile, [name for name in options.runs.split(",") if name])
            else 1
        )
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(
            "\nInterrupted: what was finished is kept, and the next `make all` goes on from there.",
            file=sys.stderr,
        )
        return 130


def run_grid(profile, chosen=()):
    """Bring the chosen runs of a profile up to date; True if all of them are."""
    names = runs.select(chosen)
    check_environment(profile)
    integrity.mend(names, profile)
    stale = [name for name in names if staleness(name, profile)]
    tell_versions([name for name in names if name not in stale], profile)
    if not stale:
        print(
            f"All {len(names)} runs of profile {profile} are up to date ({paths.results(profile)})."
        )
        return True
    for folder in (paths.results(profile), paths.executed(profile)):
        files.check_writable(folder)
    with contextlib.ExitStack() as stack:
        for name in stale:
            stack.enter_context(
                locks.held(
                    paths.executed(profile) / f".{name}.lock", lambda holder: _refuse(name, holder)
                )
            )
        return _execute(
            [name for name in stale if staleness(name, profile)], len(names), profile
        )  # another grid may have ended just now


def _refuse(run, holder):
    raise UserError(
        f"Another grid is at work on {run}: {holder}. Wait for it to end, choose other runs with RUNS=, or another place with OUT=DIR."
    )


def _execute(stale, count, profile):
    """Execute stale runs, which nobody else executes meanwhile; True if all ended well."""
    print(f"Profile {profile}: {len(stale)} of {count} runs to do.", flush=True)
    if not stale:
        return True
    for run in stale:
        integrity.tell(profile, run)
    outcomes = prepare(stale, profile)
    from grid.progress import (
        watch,
    )  # needs rich and Dask, which a grid with nothing to do never loads

    outcomes.update(watch([run for run in stale if run not in outcomes], profile, submit))
    return summarise(outcomes, profile)


def prepare(stale, profile):
    """Make the data sets of the stale runs. Returns a failed outcome for each run that cannot have its data; UserError if none can."""
    refused, faults, kinds = {}, {}, {}
    for run in stale:
        name, record = runs.parameters(run, profile)["dataset"], results.load(profile, run)
        if name not in faults:
            try:
                meta = datasets.prepared(name) or datasets.prepare(name)
                faults[name], kinds[name] = "", meta["kind"]
                if meta["kind"] in ("stand-in", "substitute"):
                    print(f"  {name}: {meta['title']} ({meta['kind'].upper()})", flush=True)
            except UserError as error:
                faults[name] = str(error)
        fault = faults[name]
        if not fault and record and kinds[name] == "stand-in" != record["dataset"]["kind"]:
            fault = "its record comes from real images, and a stand-in never replaces it: give MIRROR=DIR or DATA=real, or OUT=DIR for another place"
        if fault:
            refused[run] = {"ok": False, "seconds": 0, "error": fault, "notebook": ""}
    if len(refused) == len(stale):
        raise UserError(next(iter(refused.values()))["error"])
    return refused


def tell_versions(names, profile):
    """Say which up-to-date records were made with other library versions; that alone is no reason to make them again."""
    from importlib.metadata import PackageNotFoundError, version

    def installed(package):
        try:
            return version(package)
        except PackageNotFoundError:
            return None  # the record comes from another back end

    found = [results.load(profile, name)["versions"] or {} for name in names]
    here = {
        package: installed(package)
        for package in {package for versions in found for package in versions}
    }
    other = sum(
        any(here[package] not in (None, was) for package, was in versions.items())
        for versions in found
    )
    if other:
        print(
            f"{other} records were made with other versions of the libraries than those installed; FORCE=1 makes them again."
        )


def check_environment(profile):
    """Raise UserError for settings that cannot work, before anything is started."""
    if profile not in runs.profiles():
        raise UserError(
            f"Unknown profile {profile}. The profiles are: {', '.join(runs.profiles())}."
        )
    if profile == "full":
        if os.environ.get("DATA") == "stand-in":
            raise UserError(
                "Profile full is for real images only: leave DATA out, or choose another profile."
            )
        os.environ["DATA"] = "real"
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend not in ("tensorflow", "jax", "torch"):
        raise UserError(f"Unknown backend KERAS_BACKEND={backend}. Use tensorflow, jax or torch.")
    if not importlib.util.find_spec(backend):
        raise UserError(
            f"KERAS_BACKEND={backend}: {backend} is not installed here. Install it into .venv, or leave KERAS_BACKEND out."
        )
    limit = os.environ.get("LIMIT") or "1"
    if not re.fullmatch(r"\d+(\.\d+)?", limit) or float(limit) == 0:
        raise UserError(f"LIMIT={limit}: give the seconds that a run may take.")
    scheduler = os.environ.get("SCHEDULER", "")
    if scheduler and "://" not in scheduler:
        raise UserError(
            f"SCHEDULER={scheduler} is no address. Give the one your Dask scheduler prints, such as tcp://host:8786."
        )


def staleness(run, profile):
    """Why a run has to be executed, in a few words; empty if its record is up to date."""
    values = runs.parameters(run, profile)
    record = results.load(profile, run)
    if os.environ.get("FORCE") == "1":
        return "FORCE=1"
    if not record:
        return "no record"
    if not results.whole(profile, record):
        return "predictions missing or damaged"
    if integrity.harmed(profile, run):
        return "figure or executed notebook damaged or changed"
    if (paths.executed(profile) / f".{run}.partial.ipynb").exists() and not (
        paths.executed(profile) / f"{run}.ipynb"
    ).exists():
        return "interrupted before its notebook was kept"
    held = datasets.prepared(values["dataset"])
    kind = record["dataset"]["kind"]
    if held and held["kind"] == "stand-in" != kind:
        held = None  # a stand-in never replaces real images
    if (
        not held
        and kind == "stand-in"
        and (os.environ.get("MIRROR") or os.environ.get("DATA") == "real")
    ):
        return "real images instead of stand-ins"
    expected = runs.fingerprint(
        run, values, held["sha256"] if held else record["dataset"]["sha256"]
    )
    if record["fingerprint"] != expected:
        return "parameters, data or code changed"
    return (
        f"{len(record['seeds'])} of {values.get('seeds')} seeds"
        if len(record["seeds"]) < values.get("seeds", 1)
        else ""
    )


def submit(client, run, profile, priority):
    """Hand one run to Dask, which starts those of higher priority first; returns its future."""
    values, record = runs.parameters(run, profile), results.load(profile, run)
    environment = {name: os.environ[name] for name in PASSED_ON if os.environ.get(name)}
    environment.update(
        OUT=str(paths.OUT),
        DATA_DIR=str(paths.DATA),
        PROGRESS_FILE=str(execution.progress_file(run, profile)),
    )
    sha = (datasets.prepared(values["dataset"]) or {}).get("sha256")
    environment["RUN_FINGERPRINT"] = runs.fingerprint(run, values, sha)
    continued = (
        record
        and record["fingerprint"] == environment["RUN_FINGERPRINT"]
        and results.whole(profile, record)
        and environment.get("FORCE") != "1"
    )
    if continued and len(record["seeds"]) < values.get("seeds", 1):
        values["first_seed"] = len(record["seeds"])
    offered = [
        worker.get("resources", {}).get("cores", 0)
        for worker in client.scheduler_info(n_workers=-1)["workers"].values()
    ]
    cores = min(execution.cores(run), max(offered, default=0) or os.cpu_count())
    return client.submit(
        execution.execute,
        run,
        profile,
        values,
        environment,
        cores,
        key=f"{profile}/{run}/{time.time_ns()}",
        pure=False,
        priority=priority,
        resources={"cores": cores} if any(offered) else None,
    )


def summarise(outcomes, profile):
    """Print a line a run: time, test accuracy, and for a failed one its error and its partial notebook. True if none failed."""
    width = max(map(len, outcomes))
    print()
    for run, outcome in outcomes.items():
        record = results.load(profile, run) if outcome["ok"] else None
        if record:
            from numpy import mean

            scores = [seed["test_accuracy"] for seed in record["seeds"]]
            label = (
                ""
                if record["dataset"]["kind"] == "official"
                else f"  [{record['dataset']['label']}]"
            )
            print(
                f"  {run:{width}}  done    {outcome['seconds']:6.1f} s  test accuracy {mean(scores):.4f} (n = {len(scores)}){label}"
            )
        else:
            print(f"  {run:{width}}  FAILED  {outcome['seconds']:6.1f} s  {outcome['error']}")
            if outcome["notebook"]:
                print(f"  {'':{width}}          its notebook: {outcome['notebook']}")
    failed = sum(not outcome["ok"] for outcome in outcomes.values())
    print(
        f"\n{len(outcomes) - failed} runs done, {failed} failed."
        if failed
        else f"\nAll {len(outcomes)} runs done.",
        flush=True,
    )
    return not failed

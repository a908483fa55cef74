"""Whole trainings: how soon a short schedule is as accurate as the faithful one, and how soon a
search is as good as random search.

On real images, of which `make` must know (a network, or MIRROR=DIR). What is finished is not
trained again: an interrupted benchmark goes on where it was, and
`rm -r data/bench data/trained/bench` begins anew.
"""

import contextlib
import importlib.util
import json
import os
import sys

import numpy as np

from benchmarks import measure, rows
from benchmarks.worker import THREADS
from helpers import datasets, runs
from helpers.store import paths
from helpers.store.paths import UserError

FOLDER, SEEDS = paths.DATA / "bench", 5
TRIALS, EPOCHS = 10, 10  # of random search, as in the course report
RUNGS = 9  # the longest training of Hyperband; its first are a ninth of it


def time_to_accuracy(say=print):
    """Rows: seconds in `fit` of the faithful schedule over those of the short one, seed by seed,
    and the difference of their test accuracies."""
    found, gaps = {}, {}
    for run in rows.FAST:
        held = {
            name: _trained(name, seed, say)
            for seed in range(SEEDS)
            for name in ((run, f"{run}-fast") if seed % 2 else (f"{run}-fast", run))
        }
        slow, fast = (held[name]["seeds"][:SEEDS] for name in (run, f"{run}-fast"))
        found[run] = [
            one["seconds"] / other["seconds"] for one, other in zip(slow, fast, strict=True)
        ]
        gaps[run] = float(
            np.mean(
                [
                    other["test_accuracy"] - one["test_accuracy"]
                    for one, other in zip(slow, fast, strict=True)
                ]
            )
        )
        ratios = ", ".join(f"{ratio:.2f}" for ratio in found[run])
        say(f"  {run}: ratios {ratios}; test accuracy {gaps[run]:+.4f}")
    return {
        "time_to_accuracy": measure.geometric_means(found.values()),
        "time_to_accuracy.accuracy": [min(gaps.values())],
        **{f"time_to_accuracy.{run}": series for run, series in found.items()},
    }


def _trained(run, seed, say):
    """The record of a run under the full profile with seeds 0 to `seed`; the grid trains what is
    missing, one seed at a time, on one thread."""
    environment = _environment(SEEDS=str(seed + 1))
    record = FOLDER / "report/full/results" / f"{run}.json"
    command = [sys.executable, "-m", "grid", "--profile", "full", "--runs", run]
    measure.command(command, paths.ROOT, environment)
    content = json.loads(record.read_text(encoding="utf-8"))
    one = content["seeds"][seed]
    say(f"    {run}, seed {seed}: {one['seconds']:.1f} s, test accuracy {one['test_accuracy']:.4f}")
    return content


def _environment(**more):
    """The caller's environment, on real images, with results and trained networks in a place of
    their own and the prepared data sets where they are."""
    data = FOLDER / "data"
    data.mkdir(parents=True, exist_ok=True)
    for run in rows.FAST:
        name = runs.parameters(run, "full")["dataset"]
        meta = datasets.prepared(name, mode="real") or datasets.prepare(name, mode="real")
        for folder in {name, meta["name"]}:
            if (paths.DATA / folder).is_dir() and not (data / folder).exists():
                (data / folder).symlink_to(paths.DATA / folder, target_is_directory=True)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("FORCE", "SEEDS", "SCHEDULER", "LIMIT", "KERAS_BACKEND")
    }
    return {
        **kept,
        "DATA": "real",
        "OUT": str(FOLDER),
        "DATA_DIR": str(data),
        "KERAS_REPORTS_ONLINE": "0",
        **more,
    }


def search(say=print):
    """Row: in how many epochs, all trials together, random search comes to its best validation
    accuracy, over those in which annealed Hyperband does."""
    for name in THREADS:
        os.environ[name] = "1"  # small networks; and the same result on every machine
    from helpers import batches
    from helpers import search as searching

    values, found = runs.parameters("k49-search", "full"), []
    data = datasets.load(values["dataset"], mode="real")
    parts = batches.split(data, 0, values["validation_images"], 0)
    common = {
        "build": _space(),
        "parts": parts,
        "classes": data.classes,
        "batch_size": values["batch_size"],
        "run": "search",
        "profile": "bench",
    }
    for seed in range(SEEDS):
        with (
            open(os.devnull, "w") as nowhere,
            contextlib.redirect_stdout(nowhere),
        ):  # each trial tells its progress
            curves = {
                kind: _best_so_far(
                    searching.trials_of(
                        searching.run(
                            kind, seed=seed, trials=TRIALS, trial_epochs=epochs, **common
                        ),
                        kind,
                    )
                )
                for kind, epochs in (("random search", EPOCHS), ("annealed Hyperband", RUNGS))
            }
        best = curves["random search"][-1]
        first, second = (_epochs_to(best, curve) for curve in curves.values())
        annealed = curves["annealed Hyperband"]
        say(
            f"    {seed + 1}/{SEEDS}: {best:.4f} after {first} epochs by random search, after "
            f"{second or f'more than {len(annealed)}'} by annealed Hyperband "
            f"(its best: {annealed[-1]:.4f})"
        )
        found.append(first / second if second else 0.0)
    return {"search": found}


def _best_so_far(trials):
    return np.maximum.accumulate(np.concatenate([trial["curve"] for trial in trials]))


def _epochs_to(accuracy, curve):
    """After how many epochs a best-so-far curve has reached an accuracy; 0 if it never does."""
    return int(np.argmax(curve >= accuracy)) + 1 if curve[-1] >= accuracy else 0


def _space():
    """The search space of the notebook, as a function of a module, whose source the search's name
    is made of."""
    notebook = paths.NOTEBOOKS / f"{runs.entry('k49-search')['notebook']}.ipynb"
    sources = [
        "".join(cell["source"])
        for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    ]
    try:
        source = next(source for source in sources if source.startswith("def build(hp, "))
    except StopIteration as error:
        raise UserError(f"{notebook} has no cell that begins with `def build(hp, `.") from error
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "space.py"
    path.write_text(f"from helpers.store.backend import keras\n\n\n{source}\n", encoding="utf-8")
    specification = importlib.util.spec_from_file_location("space", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.build

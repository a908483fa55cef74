"""Whole trainings: how soon a short schedule is as accurate as the faithful one, and how soon a
search is as good as random search.

On real images, of which `make` must know (a network, or MIRROR=DIR). What is finished is not
trained again: an interrupted benchmark goes on where it was, with the seconds of then;
`rm -r data/trained/bench` begins anew.
"""

import contextlib
import importlib.util
import itertools
import os

import numpy as np

from benchmarks import measure, rows
from benchmarks.worker import THREADS, Worker, ready
from helpers import datasets, results, runs
from helpers.store import files, paths
from helpers.store.paths import UserError

FOLDER, SEEDS = paths.DATA / "trained/bench", 5
REPEATS = 3  # of a pair of trainings
TRIALS, EPOCHS = 10, 10  # of random search, as in the course report
RUNGS = 9  # the longest training of Hyperband; its first are a ninth of it


def time_to_accuracy(say=print):
    """Rows: seconds in `fit` of the faithful schedule over those of the short one, seeds 0, 1, ...
    in turn on one thread; the difference of the test accuracies that the full edition holds."""
    found, gaps, held = {}, {}, results.load_all("full")
    for run in (*rows.FAST, *rows.DROPOUT):
        say(f"  {run}")
        gaps[run] = _gap(held.get(f"{run}-fast"), held.get(run))
        with (
            Worker(_training, run, threads=1) as slow,
            Worker(_training, f"{run}-fast", threads=1) as fast,
        ):
            ready(slow, fast)
            pairs = measure.alternate(slow.measure, fast.measure, say, REPEATS)
        found[run] = measure.ratios(pairs)
        say(f"    test accuracy {gaps[run]:+.4f}")
    return {
        "time_to_accuracy": measure.geometric_means(found[run] for run in rows.FAST),
        "time_to_accuracy.accuracy": [min(gaps.values())],
        **{f"time_to_accuracy.{run}": series for run, series in found.items()},
    }


def _training(run):
    """A function that executes the training of a run's notebook with the next seed and gives its
    seconds. Its cells are executed up to the function `train`, figures left out."""
    os.environ["DATA"] = "real"
    os.environ.pop("FORCE", None)  # it would train again what is finished
    space = runs.parameters(run, "full") | {"profile": "bench"}
    for cell in _cells(runs.entry(run)["notebook"]):
        if not {"parameters", "figure"} & set(cell["metadata"].get("tags", [])):
            exec("".join(cell["source"]), space)
        if "train" in space:
            return map(lambda seed: space["train"](seed).seconds, itertools.count()).__next__
    raise UserError(f"The notebook of {run} has no function `train`.")


def _gap(one, other):
    """The difference of two records' test accuracies, mean of the seeds that both have."""
    if not (one and other):
        raise UserError("A record of the full edition is missing: make all PROFILE=full.")
    pairs = zip(one["seeds"], other["seeds"])
    return float(np.mean([a["test_accuracy"] - b["test_accuracy"] for a, b in pairs]))


def _cells(notebook):
    """The code cells of a notebook of this project."""
    content = files.load_json(paths.NOTEBOOKS / f"{notebook}.ipynb")
    return [cell for cell in content["cells"] if cell["cell_type"] == "code"]


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
    sources = ["".join(cell["source"]) for cell in _cells(runs.entry("k49-search")["notebook"])]
    try:
        source = next(source for source in sources if source.startswith("def build(hp, "))
    except StopIteration as error:
        raise UserError("The search has no cell that begins with `def build(hp, `.") from error
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "space.py"
    path.write_text(f"from helpers.store.backend import keras\n\n\n{source}\n", encoding="utf-8")
    specification = importlib.util.spec_from_file_location("space", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.build

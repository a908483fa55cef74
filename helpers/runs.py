"""The runs of notebooks/runs.yaml: each entry checked, its parameters, its fingerprint.

The grid, the report and `results` call it. Light on purpose (no Keras, no pandas): asking what is
to be done must take milliseconds.
"""

import hashlib
import json
import math
import os
import reprlib
from functools import cache

from helpers.store import code, paths, strict_yaml
from helpers.store.code import notebook_parameters, tree  # noqa: F401  (part of this module)
from helpers.store.paths import UserError


def _number(low, high=math.inf):
    return lambda value: type(value) in (int, float) and low <= value < high


def _each(kind):
    return lambda values: isinstance(values, list) and all(map(kind[0], values))


def _one_of(*choices):
    return lambda value: value in choices, f"one of {', '.join(choices)}"


# What a value may be: a test, and the words for a user whose value fails it.
TEXT = (lambda value: isinstance(value, str) and value.strip(), "a text")
NAMES = (lambda value: isinstance(value, dict) and all(map(TEXT[0], value)), "names with values")
COUNT = (lambda value: type(value) is int and value > 0, "a whole number, 1 or more")
SIZE = (lambda value: type(value) is int and value >= 0, "a whole number, 0 or more")
AMOUNT = (_number(0), "a number, 0 or more")
RATE = (_number(1e-12), "a number, more than 0")
REAL = (_number(-math.inf), "a number")
SHARE = (_number(0, 1 + 1e-9), "a fraction, 0.982 for 98.2 %")

PARTS = ("train", "validation", "test")
COUNTS = ("epochs", "batch_size", "seeds", "trials", "trial_epochs", "repeats", "halves", "side")
SIZES = ("train_images", "test_images", "judged_images", "first_seed")
PARAMETERS = {
    **dict.fromkeys(COUNTS, COUNT),
    **dict.fromkeys((*SIZES, "stop_patience", "reduce_patience"), SIZE),
    **dict.fromkeys(("learning_rate", "peak_learning_rate"), RATE),
    **dict.fromkeys(("stop_delta", "twin_distance"), AMOUNT),
    "validation_images": (_number(-1), "-1, 0 or more"),
    "folds": (_number(2), "2 or more"),
    "dropout": (_number(-1, 1), "-1.0, or from 0 to less than 1"),
}
CHOICES = {
    **dict.fromkeys(("augmentation", "judge"), lambda: code.constant("augmentation", "SETTINGS")),
    "optimizer": lambda: code.constant("training", "OPTIMIZERS"),
    "network": lambda: [name for name in code.functions("models") if name[0] != "_"],
}
FIGURES = {"accuracy": SHARE, "loss": AMOUNT}
CURVES = {name: (_each(kind), f"a list; {kind[1]}") for name, kind in FIGURES.items()}
REPORTED = {
    **{f"{part}_{name}": kind for part in PARTS for name, kind in FIGURES.items()},
    **{"seconds": RATE, "epochs": COUNT, "transformed": dict.fromkeys(PARTS, SHARE)},
    "history": {**CURVES, **{f"val_{name}": kind for name, kind in CURVES.items()}},
}
CLAIM = {
    **{"key": TEXT, "claim": TEXT, "against": TEXT, "part": COUNT, "data": _one_of("any")},
    **{"family": _one_of("reports", "ours"), "expected": _one_of(">", "<", "="), "reference": REAL},
    **{"quantity": _one_of(*code.constant("store/records", "QUANTITIES")), "margin": RATE},
}
RUN = {
    **dict.fromkeys(("notebook", "report", "about", "beside"), TEXT),
    **{"parameters": NAMES, "cores": COUNT, "reported": REPORTED},
    "claims": (lambda value: isinstance(value, list), "a list"),
}


@cache
def table():
    """The whole of runs.yaml, `profiles` and `runs`; UserError names a wrong field."""
    import yaml

    try:
        content = strict_yaml.load(paths.RUNS.read_text(encoding="utf-8"))
        _check(content)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        told = " ".join(str(error).split()).removesuffix(".")
        raise UserError(f"Cannot read {paths.RUNS}: {told}.") from error
    return content


def _check(content):
    """ValueError for the first field of runs.yaml that is not as it must be."""
    below = [content.get(name) for name in ("profiles", "runs")] if NAMES[0](content) else [None]
    if not all(NAMES[0](part) and all(map(NAMES[0], part.values())) for part in below):
        raise ValueError("it needs `profiles` and `runs`, and below each of them names with fields")
    for profile, sizes in content["profiles"].items():
        _check_fields(f"profile {profile}", sizes, PARAMETERS)
    known, keys = {**RUN, **dict.fromkeys(content["profiles"], NAMES)}, set()
    for run, line in content["runs"].items():
        where = f"run {run}"
        _check_fields(where, line, known, ("notebook", "report", "about"))
        for claim in line.get("claims", []):
            needed = ("key", "claim", "family", "quantity", "expected")
            _check_fields(f"{where}, a claim", claim, CLAIM, needed)
            sides = {"against", "reference"} & set(claim)
            if len(sides) != 1 or ("margin" in claim) != (claim["expected"] == "="):
                words = "needs either `against` or `reference`, and `margin` where it says `=`"
                raise ValueError(f"{where}: a claim {words}")
            if (key := (claim["key"], claim.get("part"))) in keys:
                raise ValueError(f"{where}: a claim {key[0]} with the same `part` was there before")
            keys.add(key)
        for other in (line.get("beside"), *(c.get("against") for c in line.get("claims", []))):
            if other is not None and other not in set(content["runs"]) - {run}:
                raise ValueError(f"{where}: there is no other run {reprlib.repr(other)}")


def _check_fields(where, fields, known, needed=()):
    if not NAMES[0](fields):
        raise ValueError(f"{where} is {reprlib.repr(fields)}, it must be names with values")
    for name in (*needed, *fields):
        if name not in known:
            raise ValueError(f"{where}: {name} is unknown, there are {', '.join(known)}")
        if isinstance(known[name], dict):
            _check_fields(f"{where}, {name}", fields[name], known[name])
            continue
        allowed, words = known[name]
        if name not in fields or not allowed(fields[name]):
            is_now = reprlib.repr(fields[name]) if name in fields else "missing"
            raise ValueError(f"{where}: {name} is {is_now}, it must be {words}")


def profiles():
    """Names of the profiles."""
    return list(table()["profiles"])


def select(names=None):
    """The chosen run ids in the order of runs.yaml; None or empty: all. UserError: unknown one."""
    known = list(table()["runs"])
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UserError(f"Unknown run {', '.join(unknown)}. The runs are: {', '.join(known)}.")
    return [name for name in known if not names or name in names]


def entry(run):
    """A run's fields of runs.yaml, which its head lists. UserError for an unknown run."""
    return table()["runs"][select([run])[0]]


def claims():
    """Every claim of runs.yaml, a flat dict each; `run_a` carries it. What it has not is None."""
    return [
        {**dict.fromkeys(CLAIM), **claim, "run_a": run, "run_b": claim.get("against")}
        for run, line in table()["runs"].items()
        for claim in line.get("claims", ())
    ]


def parameters(run, profile):
    """A run's notebook parameters under a profile: the notebook's defaults, its own, the sizes.

    UserError for an unknown profile or parameter, and for a value of another type or out of range.
    """
    if profile not in profiles():
        raise UserError(f"Unknown profile {profile}. The profiles are: {', '.join(profiles())}.")
    line, notebook = entry(run), entry(run)["notebook"]
    defaults = notebook_parameters(notebook)
    sizes = {n: size for n, size in table()["profiles"][profile].items() if n in defaults}
    own = {**line.get("parameters", {}), **sizes, **line.get(profile, {})}
    values = {**defaults, "run": run, "profile": profile, **own}
    if unknown := [name for name in values if name not in defaults]:
        there = f"notebook {notebook} has no parameter {unknown[0]}. It has: {', '.join(defaults)}"
        raise UserError(f"Run {run}: {there}.")
    values = {name: _value(run, name, value, defaults[name]) for name, value in values.items()}
    if (asked := os.environ.get("SEEDS")) and "seeds" in defaults:
        if not asked.isdecimal() or not int(asked):
            raise UserError(f"SEEDS={asked}: give a whole number of seeds, 1 or more.")
        values["seeds"] = int(asked)
    return values


def _value(run, name, value, default):
    """The value of a parameter, checked."""
    where, kind = f"Run {run}: parameter {name} is {reprlib.repr(value)}", type(default)
    if kind is float and type(value) is int and abs(value) < 2**53:
        value = float(value)
    if type(value) is not kind:
        is_now, must_be = type(value).__name__, f"{kind.__name__}, like {default!r}"
        raise UserError(f"{where}, of type {is_now}; it must be of type {must_be}.")
    allowed, words = PARAMETERS.get(name, (lambda value: True, ""))
    if not allowed(value):
        raise UserError(f"{where}; it must be {words}.")
    if name in CHOICES and value not in (known := list(CHOICES[name]())):
        raise UserError(f"Run {run}: no {name} {value!r}. Choose one of: {', '.join(known)}.")
    return value


def fingerprint(run, values, data_sha256):
    """What a record's truth hangs on: parameters, data, the notebook's and the network's code, and
    training.RESULTS. Hexadecimal SHA-256.

    Code counts as its syntax tree without docstrings. Cells tagged `figure` or `setup` do not
    count: how a thing looks never costs training. Nor do `seeds`: more are added to a record.
    """
    notebook, network = entry(run)["notebook"], values.get("network")
    if network and network not in code.functions("models"):
        raise UserError(f"helpers/models.py has no network {network}.")
    content = {
        "parameters": {n: v for n, v in values.items() if n not in ("seeds", "first_seed")},
        "data": data_sha256,
        "code": [
            tree(code.parsed(notebook, number, source))
            for number, tags, source in code.cells(notebook)
            if not {"figure", "parameters", "setup"} & set(tags)
        ],
        "network": code.used_functions("models", network) if network else {},
        "results": code.constant("training", "RESULTS"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

"""The runs of notebooks/runs.yaml: each entry checked, its parameters, its fingerprint.

The grid, the report and `results` call it. Light on purpose (no Keras, no pandas): asking what is
to be done must take milliseconds.
"""

import difflib
import hashlib
import json
import os
from functools import cache

from helpers.store import code, fields, paths
from helpers.store.code import notebook_parameters
from helpers.store.paths import UserError


@cache
def table():
    """The whole of runs.yaml, `profiles` and `runs`; UserError names a wrong field."""
    import yaml

    try:
        return fields.load(paths.RUNS.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        told = " ".join(str(error).split()).removesuffix(".")
        remedy = "; a text with a colon or a sign such as > stands in quotation marks"
        told += remedy * isinstance(error, yaml.MarkedYAMLError)
        raise UserError(f"Cannot read {paths.RUNS}: {told}.") from error


def profiles():
    """Names of the profiles."""
    return list(table()["profiles"])


def sizes(profile):
    """What a profile sets, a dict. UserError for an unknown one."""
    if profile not in profiles():
        raise UserError(f"Unknown profile {profile}. The profiles are: {', '.join(profiles())}.")
    return table()["profiles"][profile]


def select(names=None, profile=None):
    """The chosen run ids in the order of runs.yaml; None or empty: all, or with a `profile` all but
    those whose sizes for it come `later`. UserError: an unknown one, or one of these."""
    known = list(table()["runs"])
    for name in names or ():
        if name not in known:
            like = difflib.get_close_matches(name.lower().replace("_", "-"), known, 1)
            remedy = f"did you mean {like[0]}?" if like else f"the runs are {', '.join(known)}."
            raise UserError(f"Unknown run {name}: {remedy}")
    later = [name for name in known if table()["runs"][name].get(profile) == "later"]
    if named := [name for name in later if name in (names or ())]:
        told = f"{named[0]} has no {profile} sizes yet: choose another PROFILE"
        raise UserError(f"{told}, or write them in {paths.RUNS.name} in place of `later`.")
    return [name for name in known if (name in names if names else name not in later)]


def entry(run):
    """A run's fields of runs.yaml, which its head lists. UserError for an unknown run."""
    return table()["runs"][select([run])[0]]


def title(run):
    """What a run is called among people, the field `name`; its id where it has none."""
    return table()["runs"].get(run, {}).get("name", run)


def network_title(word):
    """A network, NAME or NAME+AUGMENTATION, by the title of the first run that trains it so; the
    word itself where none does."""
    name, _, setting = word.partition("+")
    for run, line in table()["runs"].items():
        values = line.get("parameters", {})
        if (values.get("network"), values.get("augmentation", "none")) == (name, setting or "none"):
            return title(run)
    return word


def claims(profile=None):
    """Every claim of runs.yaml, or of the runs of a profile, a flat dict each; `run_a` carries it.
    What it has not is None."""
    return [
        {**dict.fromkeys(fields.CLAIM), **claim, "run_a": run, "run_b": claim.get("against")}
        for run in select(profile=profile)
        for claim in entry(run).get("claims", ())
    ]


def parameters(run, profile):
    """A run's notebook parameters under a profile: the notebook's defaults, its own, the sizes.

    UserError for an unknown profile or parameter, for sizes that come `later`, and for a value of
    another type or out of range.
    """
    given, line, notebook = sizes(profile), entry(run), entry(run)["notebook"]
    select([run], profile)
    defaults = notebook_parameters(notebook)
    fitting = {name: size for name, size in given.items() if name in defaults}
    layers = line.get("parameters", {}), fitting, line.get(profile, {})
    own = [pair for layer in layers for pair in layer.items()]
    values = {**defaults, "run": run, "profile": profile, **dict(own)}
    if unknown := [name for name in (*values, "dataset") if name not in defaults]:
        there = f"notebook {notebook} has no parameter {unknown[0]}. It has: {', '.join(defaults)}"
        raise UserError(f"Run {run}: {there}.")
    for name in {"run", "profile"} & dict(own).keys():
        raise UserError(f"Run {run}: parameter {name} is set by the grid: leave it out.")
    for name, value in own:  # also what a later layer takes the place of
        fields.parameter(run, name, value, defaults[name])
    values = {
        name: fields.parameter(run, name, value, defaults[name]) for name, value in values.items()
    }
    if (asked := os.environ.get("SEEDS")) and "seeds" in defaults:
        if not asked.isdecimal() or not int(asked):
            raise UserError(f"SEEDS={asked}: give a whole number of seeds, 1 or more.")
        values["seeds"] = int(asked)
    return values


def fingerprint(run, values, data_sha256):
    """What a record's truth hangs on: parameters, data, the notebook's and the network's code, and
    training.RESULTS. Hexadecimal SHA-256.

    Code counts as its syntax tree without docstrings. Cells tagged `figure` or `setup` do not
    count: how a thing looks never costs training. Nor do `seeds`: more are added to a record.
    """
    notebook, networks = entry(run)["notebook"], fields.networks(values)[0]
    for network in networks:
        if network not in code.functions("models"):
            raise UserError(f"helpers/models.py has no network {network}.")
    content = {
        "parameters": {n: v for n, v in values.items() if n not in ("seeds", "first_seed")},
        "data": data_sha256,
        "code": code.result_cells(notebook),
        "network": {
            name: function
            for network in networks
            for name, function in code.used_functions("models", network).items()
        },
        "results": code.constant("training", "RESULTS"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

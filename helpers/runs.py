"""The runs of notebooks/runs.yaml: their parameters under a profile, and the fingerprint that says whether a record is still true.

Light on purpose (no Keras, no pandas): asking what is to be done must take milliseconds.
"""

import ast
import hashlib
import json
import os
import reprlib
from functools import cache

from helpers.store import paths
from helpers.store.paths import UserError


@cache
def table():
    """The whole of runs.yaml as a dict: `profiles` and `runs`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(paths.RUNS.read_text(encoding="utf-8"), loader)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise UserError(f"Cannot read {paths.RUNS}: {' '.join(str(error).split())}.") from error
    if not (
        _named(content, dict)
        and all(_named(content.get(part), dict) for part in ("profiles", "runs"))
    ):
        raise UserError(
            f"Cannot read {paths.RUNS}: it needs `profiles` and `runs`, and below each of them names with fields."
        )
    for run, line in content["runs"].items():
        sizes = [line[name] for name in ("parameters", *content["profiles"]) if name in line]
        if not isinstance(line.get("notebook"), str) or not all(_named(part) for part in sizes):
            raise UserError(
                f"Cannot read {paths.RUNS}: run {run} needs a `notebook`, and names with values as `parameters` and sizes."
            )
    return content


def _named(value, kind=object):
    """Whether a value is a dict from names to values of a kind."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(one, kind) for name, one in value.items()
    )


def profiles():
    """Names of the profiles."""
    return list(table()["profiles"])


def select(names=None):
    """The chosen run ids in the order of runs.yaml; None or empty means all. Raises UserError for an unknown one."""
    known = list(table()["runs"])
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UserError(f"Unknown run {', '.join(unknown)}. The runs are: {', '.join(known)}.")
    return [name for name in known if not names or name in names]


def entry(run):
    """A run's line of runs.yaml: notebook, report, about, parameters, reported, perhaps beside, and sizes under a profile's name. Raises UserError for an unknown one."""
    return table()["runs"][select([run])[0]]


def parameters(run, profile):
    """The notebook parameters of a run under a profile, checked: the notebook's defaults, the run's own, the profile's sizes.

    Raises UserError for an unknown profile, and for a parameter that the notebook does not have or whose value is of another type.
    """
    if profile not in profiles():
        raise UserError(f"Unknown profile {profile}. The profiles are: {', '.join(profiles())}.")
    line = entry(run)
    defaults = notebook_parameters(line["notebook"])
    sizes = {
        name: value for name, value in table()["profiles"][profile].items() if name in defaults
    }
    values = {
        "run": run,
        "profile": profile,
        **line.get("parameters", {}),
        **sizes,
        **line.get(profile, {}),
    }
    choices = {
        "augmentation": _constant("augmentation.py", "SETTINGS"),
        "judge": _constant("augmentation.py", "SETTINGS"),
        "optimizer": _constant("training.py", "OPTIMIZERS"),
        "network": _definitions("models.py"),
    }
    for name, value in values.items():
        if name not in defaults:
            raise UserError(
                f"Run {run}: notebook {line['notebook']} has no parameter {name}. It has: {', '.join(defaults)}."
            )
        values[name] = _typed(run, name, value, defaults[name])
        if name in choices and value not in choices[name]:
            known = ", ".join(choice for choice in choices[name] if not choice.startswith("_"))
            raise UserError(f"Run {run}: there is no {name} {value!r}. Choose one of: {known}.")
    if os.environ.get("SEEDS") and "seeds" in defaults:
        values["seeds"] = (
            int(os.environ["SEEDS"])
            if os.environ["SEEDS"].isdecimal() and int(os.environ["SEEDS"])
            else None
        )
        if not values["seeds"]:
            raise UserError(
                f"SEEDS={os.environ['SEEDS']}: give a whole number of seeds, 1 or more."
            )
    return {**defaults, **values}


def _typed(run, name, value, default):
    kind = type(default)
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        raise UserError(
            f"Run {run}: parameter {name} is {reprlib.repr(value)}, of type {type(value).__name__}; it must be of type {kind.__name__}, like {default!r}."
        )
    return value


@cache
def _cells(notebook):
    path = paths.NOTEBOOKS / f"{notebook}.ipynb"
    try:
        return [
            (cell["metadata"].get("tags", []), "".join(cell["source"]))
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
            if cell["cell_type"] == "code"
        ]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"Cannot read notebook {path}: {error}.") from error


@cache
def notebook_parameters(notebook):
    """Name and default of every parameter, in order: the literal assignments of the cell tagged `parameters`."""
    source = "\n".join(source for tags, source in _cells(notebook) if "parameters" in tags)
    return {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in _parsed(notebook, source).body
        if isinstance(node, ast.Assign)
    }


def _parsed(notebook, source):
    """The syntax tree of a cell, without the lines that are meant for IPython."""
    try:
        return ast.parse(
            "\n".join(
                line for line in source.splitlines() if not line.lstrip().startswith(("%", "!"))
            )
        )
    except SyntaxError as error:
        raise UserError(
            f"Notebook {notebook} holds a cell that is not Python: {error.msg}, in the line {(error.text or '').strip()!r}."
        ) from error


def fingerprint(run, values, data_sha256):
    """What a record's truth hangs on: parameters, data, the notebook's code, the network's code, and training.RESULTS.

    Code counts as its syntax tree without docstrings, so that comments and formatting change nothing; cells tagged `figure` do not count,
    for how a thing looks never costs training, nor the imports tagged `setup`. Hexadecimal SHA-256.
    """
    notebook = entry(run)["notebook"]
    code = [
        tree(_parsed(notebook, source))
        for tags, source in _cells(notebook)
        if not {"figure", "parameters", "setup"} & set(tags)
    ]
    values = {
        name: value for name, value in values.items() if name not in ("seeds", "first_seed")
    }  # more seeds are added to a record
    content = {
        "parameters": values,
        "data": data_sha256,
        "code": code,
        "network": _function_trees(values.get("network")),
        "results": _constant("training.py", "RESULTS"),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def _definitions(module):
    return {
        node.name: node
        for node in ast.parse((paths.ROOT / "helpers" / module).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }


@cache
def _function_trees(name):
    """The function of models.py and those of the same module that it uses."""
    functions, wanted, found = _definitions("models.py"), [name] if name else [], {}
    if name and name not in functions:
        raise UserError(f"helpers/models.py has no network {name}.")
    while wanted:
        node = functions[wanted.pop()]
        found[node.name] = tree(node)
        wanted += [
            n.id
            for n in ast.walk(node)
            if isinstance(n, ast.Name) and n.id in functions and n.id not in found
        ]
    return found


@cache
def _constant(module, name):
    """A literal constant of a module, read without importing it (and Keras with it)."""
    source = (paths.ROOT / "helpers" / module).read_text(encoding="utf-8")
    return next(
        ast.literal_eval(node.value)
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign) and node.targets[0].id == name
    )


def tree(node):
    """A syntax tree as nested lists, the same for every Python version: no positions, no comments, no docstrings, no empty fields."""
    if isinstance(node, ast.AST):
        fields = {
            name: value
            for name, value in ast.iter_fields(node)
            if name not in ("ctx", "kind", "type_comment") and value not in (None, [])
        }
        if (
            isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))
            and ast.get_docstring(node, clean=False) is not None
        ):
            fields["body"] = fields["body"][1:]
        return [
            type(node).__name__,
            *([name, tree(value)] for name, value in sorted(fields.items())),
        ]
    if isinstance(node, list):
        return [tree(item) for item in node]
    return repr(node)

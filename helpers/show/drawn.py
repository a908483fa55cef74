"""Figures as files: drawn where they are missing or would come out otherwise, listed with captions.

figures/PROFILE/RUN/index.json holds for each figure its `caption`, its `key`, a hash over what it
was drawn from and over the code that drew it, and the `sha256` of its file. Those of many runs lie
in figures/PROFILE/all.
"""

import inspect
import json
from functools import partial, wraps
from pathlib import Path

import numpy as np

from helpers import runs
from helpers.show.canvas import encoded, spelled, style
from helpers.show.exhibits import Figure, Prose, plain, size, slug
from helpers.store import files, paths

HERE = Path(__file__).parent
CODE = [*HERE.glob("*.py"), HERE / "figures.mplstyle"]
CODE += [HERE.with_name("explain.py"), HERE.with_name("statistics.py")]
FACTS = ("run", "parameters", "dataset", "layers", "seeds", "extra", "reported")
LACKING = " Signs that the fonts lack stand as their code points."
# Of the text's width; the others take all of it.
WIDTHS = {"confusion": "80%", "plane": "70%", "reliability": "70%", "transformations": "80%"}
WIDTHS["samples"] = "72%"


def figure(function=None, name=None):
    """Make of a function that draws on a `canvas` and returns it one that shows the figure.

    Its docstring's first paragraph is the caption; words for the caption's braces may be returned
    beside the canvas, and a text where there is nothing to draw. The file is called `name`, or as
    the function; its place follows from the argument `record`, or from `profile` and `run`. A
    network that `trained` another seed than 0 is not drawn: what was kept of seed 0 is shown.
    """
    if function is None:
        return partial(figure, name=name)
    name = name or function.__name__.replace("_", "-")

    @wraps(function)
    def shown(*given, **options):
        values = inspect.signature(function).bind(*given, **options).arguments
        if not next(iter(values.values())):  # no records
            return Prose("")
        if "trained" in values and values["trained"].seed:
            return kept(values["record"], name) or Prose("")
        folder, key = paths.figures(*_place(**values)), _key(values)
        entry = _index(folder).get(name, {})
        if not key or entry.get("key") != key or not _whole(folder, name, entry):
            with style():
                drawn = function(*given, **options)
                if isinstance(drawn, str):
                    _remove(folder, name)  # an earlier record's
                    return Prose(drawn)
                body, words = drawn if isinstance(drawn, tuple) else (drawn, {})
                more = LACKING if spelled(body) else ""
                content, kind = encoded(body)
            caption = _caption(function, folder.name, values.get("record"), words) + more
            entry = {"caption": caption, "key": key, "sha256": files.bytes_sha256(content)}
            index = files.as_json({**_index(folder), name: entry})
            files.save_all({folder / f"{name}.{kind}": content, folder / "index.json": index})
            _remove(folder, name, but=kind)
        return _exhibit(folder, name, entry)

    return shown


def _caption(function, run, record, words):
    # With what a figure is about: its run by name, or the data set of its record.
    text = " ".join(function.__doc__.split("\n\n")[0].split())
    data = plain(record["dataset"]["title"]) if record else ""
    return text.format(run=runs.title(run), data=data, **words)


def kept(record, name):
    """A figure that the run's notebook drew, or None where it is not there or damaged."""
    folder = paths.figures(*_place(record))
    entry = _index(folder).get(name)
    whole = entry and _whole(folder, name, entry)
    return _exhibit(folder, name, entry) if whole else None


def _place(record=None, profile=None, run="all", **others):
    return (record["parameters"]["profile"], record["run"]) if record else (profile, run)


def _exhibit(folder, name, entry):
    run = "" if folder.name == "all" else f"{slug(folder.name)}-"
    path, width = _path(folder, name), WIDTHS.get(name, "100%")
    return Figure(path, entry["caption"], f"fig-{run}{name}", width)


def _index(folder):
    # An entry of an older version is a caption and no more.
    index = files.load_json(folder / "index.json")
    entries = index.items() if isinstance(index, dict) else ()
    entries = {n: {"caption": entry} if isinstance(entry, str) else entry for n, entry in entries}
    return {n: e for n, e in entries.items() if isinstance(e, dict) and "caption" in e}


def _path(folder, name):
    # Charts that an older version drew are PNG files, until they are drawn again.
    path = folder / f"{name}.svg"
    return path if path.exists() else path.with_suffix(".png")


def _remove(folder, name, but=None):
    for kind in {"svg", "png"} - {but}:
        (folder / f"{name}.{kind}").unlink(missing_ok=True)


def _whole(folder, name, entry):
    path = _path(folder, name)
    content = path.read_bytes() if path.is_file() else b""
    return bool(size(content)) and entry.get("sha256") in (None, files.bytes_sha256(content))


def _key(values):
    """Hash over code and inputs; None for a data set or a network, from which it is drawn anew."""
    if {"data", "trained"} & values.keys():
        return None
    # Sorted texts, so that a module may get another name.
    code = sorted(path.read_text(encoding="utf-8") for path in CODE)
    facts = {name: _facts(value) for name, value in values.items()}
    text = json.dumps([code, facts], sort_keys=True, default=_array)
    return files.bytes_sha256(text.encode())


def _facts(value):
    """A record, or a dict or list of them, by its titles and without what is added on saving."""
    if isinstance(value, list):
        return [_facts(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "seeds" in value:
        facts = {name: value[name] for name in FACTS if name in value}
        several = value.get("extra", {}).get("parameters", ())  # networks of a study
        titles = [runs.title(value["run"]), *map(runs.network_title, several)]
        return {**facts, "titles": titles}
    return {name: _facts(item) for name, item in value.items()}


def _array(value):
    array = np.ascontiguousarray(value)
    return [array.dtype.str, array.shape, files.bytes_sha256(array.data)]

"""Numbers of a record in words: the same in every table, in the README and in the report."""

import numpy as np

from helpers import runs
from helpers.show.exhibits import plain


def spread(values, digits=4, scale=1):
    """Mean and sample deviation of values times `scale`: "0.069 ± 0.001"; of one, that one."""
    deviation = f" ± {scale * np.std(values, ddof=1):.{digits}f}" if len(values) > 1 else ""
    return f"{scale * np.mean(values):.{digits}f}{deviation}"


def share(record, metric, digits=2):
    """An accuracy over a record's seeds: "98.21 ± 0.05 %", or "98.21 %" where there is one."""
    return spread([seed[metric] for seed in record["seeds"]], digits, 100) + " %"


def value(record, metric, digits=4):
    """A loss or another number over a record's seeds: "0.0694 ± 0.0012"."""
    return spread([seed[metric] for seed in record["seeds"]], digits)


def percent(fraction, digits=2):
    """A fraction as "98.21 %"."""
    return f"{100 * fraction:.{digits}f} %"


def counted(number, noun):
    """A number with its noun: "1 label", "2,000 labels", "no labels"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s") if number else f"no {noun}s"


def set_names(records):
    """The titles of the data sets of some records, by the hash of their arrays, which is added
    where two sets have one title."""
    titles = {r["dataset"]["sha256"]: r["dataset"]["title"] for r in records}
    return _apart(titles, {sha256: f" ({sha256[:6]})" for sha256 in titles})


def titles(records):
    """What the runs of some records are called, a dict; with the data set where two share a
    title."""
    sets = {r: f", {record['dataset']['title'].partition(',')[0]}" for r, record in records.items()}
    return _apart({run: runs.title(run) for run in records}, sets)


def _apart(names, more):
    shared = [name for name in names.values() if list(names.values()).count(name) > 1]
    return {key: name + more[key] if name in shared else name for key, name in names.items()}


def data_named(records):
    """The data sets behind some records, for the note below a table: "Data: MNIST; ..."."""
    labels = dict.fromkeys(record["dataset"]["label"] for record in records)
    return f"Data: {plain('; '.join(labels))}." if labels else ""

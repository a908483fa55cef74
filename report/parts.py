"""What the parts of a network and of its training buy: the pairs of runs of report/steps.yaml."""

import functools

import yaml

from helpers.store import paths
from report import claims


def pairs():
    """The pairs of report/steps.yaml: dicts with `part`, `what`, `alone`, `before`, `after`."""
    text = (paths.REPORT_SOURCE / "steps.yaml").read_text(encoding="utf-8")
    return [{"alone": False, **pair} for pair in yaml.safe_load(text)]


def steps(records, profile):
    """The pairs of which both runs have records on the same test images, with these records as
    `before` and `after`, and the numbers of `claims.compare`."""
    right, taken = functools.partial(claims.rightness, profile), []
    for pair in pairs():
        one, other = records.get(pair["before"]), records.get(pair["after"])
        numbers = claims.compare(other, one, right) if one and other else {"n": 0}
        if numbers["n"]:
            taken.append({**pair, "before": one, "after": other, **numbers})
    return taken

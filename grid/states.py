"""Which runs are stale, and why: what `python -m grid` asks first.

The state of a run is read once and passed on. It is read again after its lock is taken, for another
grid may have ended meanwhile, and its record after an execution.
"""

import contextlib
import os
from dataclasses import dataclass
from functools import cache
from multiprocessing import Process

from helpers import datasets, results, runs
from helpers.datasets import copies, downloads
from helpers.store import machine, paths


@dataclass
class State:
    """A run as it stands before anything is executed."""

    run: str
    profile: str
    values: dict  # its notebook's parameters
    record: dict | None  # None where there is none, or a harmed one
    data: dict | None  # provenance of its data set's prepared copy; None where there is none
    why: str = ""  # why it has to be executed, in a few words; "" where it is up to date
    fault: str = ""  # why it cannot be: a bad parameter, a notebook that is not there

    @property
    def fingerprint(self):
        """What a record made now would carry. Data that are not here count as in the record."""
        sha256 = (self.data or self.record["dataset"])["sha256"]
        return runs.fingerprint(self.run, self.values, sha256)


def read(names, profile):
    """The states of some runs, a list. What is wrong with a run is its `fault`, and stops no other.

    Raises UserError for an unknown profile.
    """
    runs.sizes(profile)
    prepared = cache(_prepared)
    return [_state(run, profile, prepared) for run in names]


def _prepared(name):
    # A copy that was made from another file than the mirror now has is made again at once, for a
    # record is judged by its data; where it cannot be, that is said, and the record stands.
    data, mode = datasets.prepared(name), os.environ.get("DATA")
    outdated = not data and mode != "stand-in" and copies.meta(paths.DATA / name)
    try:
        return datasets.prepare(name) if outdated else data
    except paths.UserError as error:
        print(f"{error} Records of {name} are taken as they are.", flush=True)
        return None


def _state(run, profile, prepared):
    try:
        values = runs.parameters(run, profile)
        data = prepared(values["dataset"])
        state = State(run, profile, values, results.load(profile, run), data)
        state.why = _why(state)
        if state.why:  # else it was compared already
            runs.fingerprint(run, values, "")  # of a notebook that is no Python there is none
    except paths.UserError as error:
        state = State(run, profile, {}, None, None, fault=str(error))
    return state


def _why(state):
    run, record, folder = state.run, state.record, paths.executed(state.profile)
    if os.environ.get("FORCE") == "1":
        return "FORCE=1"
    if not record:
        harmed = ", ".join(path.name for path in results.harmed(state.profile, run))
        return f"{harmed} damaged or missing" if harmed else "no record"
    if (folder / f".{run}.partial.ipynb").exists() and not (folder / f"{run}.ipynb").exists():
        return "interrupted before its notebook was kept"
    drawn = record["dataset"]["kind"] == "stand-in"
    if state.data and state.data["kind"] == "stand-in" and not drawn:
        state.data = None  # a stand-in never replaces real images
    wants_real = os.environ.get("MIRROR") or os.environ.get("DATA") == "real"
    if drawn and wants_real and not state.data:
        return "real images instead of stand-ins"
    if record["fingerprint"] != state.fingerprint:
        return "parameters, data or code changed"
    have, wanted = len(record["seeds"]), state.values.get("seeds", 1)
    return f"{have} of {wanted} seeds" if have < wanted else ""


def prepare(stale):
    """Make the data sets of stale runs, and complete their states with them.

    Returns why a run cannot be executed, a dict from run; UserError where none can.
    """
    rule = "a stand-in never replaces real images: give MIRROR=DIR or OUT=DIR"
    refused = {state.run: state.fault for state in stale if state.fault}
    sound = [state for state in stale if not state.fault]
    _draw(list(dict.fromkeys(state.values["dataset"] for state in sound if not state.data)))
    for name in dict.fromkeys(state.values["dataset"] for state in sound):
        users = [state for state in sound if state.values["dataset"] == name]
        try:
            data = datasets.prepare(name)
        except paths.UserError as error:
            refused |= {state.run: str(error) for state in users}
            continue
        if data["kind"] in ("stand-in", "substitute"):
            print(f"  {name}: {data['title']} ({data['kind'].upper()})", flush=True)
        for state in users:
            state.data = data
            if few := _halved_to_nothing(state.values, data):
                refused[state.run] = few
            kind = state.record and state.record["dataset"]["kind"]
            if kind and data["kind"] == "stand-in" != kind:
                refused[state.run] = rule
    if len(refused) == len(stale):
        raise paths.UserError(next(iter(refused.values())))
    return refused


def _draw(names):
    """Have sets drawn side by side, where nothing can be downloaded; `prepare` finds them there."""
    mode = os.environ.get("DATA")
    if len(names) < 2 or mode == "real" or mode != "stand-in" and downloads.online():
        return
    cores = machine.cores()
    shares = [names[core::cores] for core in range(min(cores, len(names)))]
    children = [Process(target=_prepare_each, args=(share,), daemon=True) for share in shares]
    for child in children:
        child.start()
    for child in children:
        child.join()


def _prepare_each(names):
    # The grid prepares what is left once one failed, and tells why; Ctrl-C is for the grid too.
    with contextlib.suppress(paths.UserError, KeyboardInterrupt):
        for name in names:
            datasets.prepare(name)


def _halved_to_nothing(values, data):
    """Why a set is too small for the `halvings` that a run asks for, or "": half of one image would
    count as all of them."""
    if not values.get("halvings"):
        return ""
    many, train, held = data["train"], values["train_images"], values["validation_images"]
    held = {0: many // 5, -1: data["test"]}.get(held, held)
    if held + max(train, data["classes"]) > many:  # made to fit, as `batches.split` does
        held = min(held, many // 5)
    whole, least = min(train or many, many - held), 2 ** values["halvings"]
    if whole >= least:
        return ""
    asked = f"halvings={values['halvings']} asks for {least:,} training images, {data['title']} has"
    return f"{asked} {whole:,}: choose halvings={whole.bit_length() - 1} or fewer"

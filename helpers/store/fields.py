"""runs.yaml read strictly: what each field of it and each parameter of a notebook may be, and who
is told what where it is not. `runs` calls it."""

import math
import re
import reprlib

from helpers.store import code
from helpers.store.paths import UserError


def _number(low, high=math.inf):
    return lambda value: type(value) in (int, float) and low <= value < high


def _each(kind):
    return lambda values: isinstance(values, list) and all(map(kind[0], values))


def _one_of(*choices):
    return lambda value: value in choices, f"one of {', '.join(choices)}"


def networks(value):
    """The networks that a run's parameters name, `network` and `networks`, and the settings of
    augmentation behind a plus sign there: two lists, in their order."""
    words = [value["network"]] if value.get("network") else value.get("networks", "").split()
    names, _, settings = zip(*(word.partition("+") for word in words)) if words else ((), (), ())
    return list(names), [setting for setting in settings if setting]


def _known(value):
    names, settings = networks({"networks": value})
    known = set(CHOICES["network"]())
    return bool(names) and set(names) <= known and set(settings) <= set(CHOICES["augmentation"]())


# What a value may be: a test, and the words for a user whose value fails it.
TEXT = (lambda value: isinstance(value, str) and value.strip(), "a text")
MARKED = set("\\`*_{}[]<>$@|#~^")
LINE = (
    lambda value: TEXT[0](value) and value.isprintable() and not MARKED & set(value),
    "a text of one line without signs of Markdown",
)
NAMES = (lambda value: isinstance(value, dict) and all(map(TEXT[0], value)), "names with values")
LATER = (lambda value: value == "later" or NAMES[0](value), "names with values, or `later`")
COUNT = (lambda value: type(value) is int and value > 0, "a whole number, 1 or more")
SIZE = (lambda value: type(value) is int and value >= 0, "a whole number, 0 or more")
AMOUNT = (_number(0), "a number, 0 or more")
RATE = (_number(1e-12), "a number, more than 0")
REAL = (_number(-math.inf), "a number")
SHARE = (_number(0, 1 + 1e-9), "a fraction, 0.982 for 98.2 %")

BESIDE = ("course-protocol", "one-change", "fast")  # reports of runs that stand beside another
KINDS = ("profile", "run")  # of entries: below `profiles`, below `runs`
PARTS = ("train", "validation", "test")
COUNTS = (
    "epochs",
    "batch_size",
    "seeds",
    "trials",
    "trial_epochs",
    "repeats",
    "halves",
    "side",
    "budget",
)
SIZES = ("train_images", "test_images", "judged_images", "first_seed", "rows", "deep", "long")
PARAMETERS = {
    **dict.fromkeys(COUNTS, COUNT),
    **dict.fromkeys((*SIZES, "stop_patience", "reduce_patience"), SIZE),
    **dict.fromkeys(("learning_rate", "peak_learning_rate"), RATE),
    **dict.fromkeys(("stop_delta", "twin_distance", "wide", "penalty"), AMOUNT),
    "validation_images": (_number(-1), "-1, 0 or more"),
    "folds": (_number(2, 257), "from 2 to 256"),
    "networks": (_known, "names of networks, NAME or NAME+AUGMENTATION, with spaces between"),
    "dropout": (lambda value: value == -1 or 0 <= value < 1, "-1.0, or from 0 to less than 1"),
    "halvings": (lambda value: type(value) is int and 0 <= value <= 16, "from 0 to 16"),
    **dict.fromkeys(("sure", "smoothing"), SHARE),
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
# What a claim of runs.yaml may compare, which its head explains: metrics of a seed, and what
# report/claims.py makes of them.
QUANTITIES = (
    "train_accuracy", "train_loss", "validation_accuracy", "validation_loss", "test_accuracy",
    "test_loss", "epochs", "seconds", "seconds_per_epoch", "nll", "gap", "loss_gap", "loss_ratio",
    "transformed", "best_epoch", "late_accuracy", "swing", "loss_below", "search_lead", "lead",
)  # fmt: skip
CLAIM = {
    **{"key": TEXT, "claim": TEXT, "against": TEXT, "part": COUNT, "data": _one_of("any")},
    **{"family": _one_of("reports", "ours"), "expected": _one_of(">", "<", "="), "reference": REAL},
    **{"quantity": _one_of(*QUANTITIES), "margin": RATE},
}
RUN = {
    **dict.fromkeys(("notebook", "report", "about", "beside"), TEXT),
    **{"name": LINE, "parameters": NAMES, "cores": COUNT, "reported": REPORTED},
    "claims": (lambda value: isinstance(value, list), "a list"),
}


def load(text):
    """The content of runs.yaml, plain data only. ValueError or yaml.YAMLError where it is none.

    A name that stands twice in a mapping, of which YAML takes the last, is refused; so are numbers
    that YAML 1.1 reads oddly (0100 is 64 there, 1:30 is 90) and fields not as they must be.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        node = loader.get_single_node()
        _refuse_ambiguous(node)
        content = node and loader.construct_document(node)
    finally:
        loader.dispose()
    _check(content)
    return content


def _refuse_ambiguous(node):
    waiting, seen = [node] if node else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        line = f"line {node.start_mark.line + 1}"
        if node.id == "mapping":
            names = [str(name.value) for name, _ in node.value]
            for name in set(names):
                if names.count(name) > 1:
                    raise ValueError(f"{line}: {name[:80]} stands twice below it, remove one")
            waiting += [part for pair in node.value for part in pair]
        elif node.id == "sequence":
            waiting += node.value
        elif node.tag.endswith((":int", ":float")) and re.match(r"[-+]?0[\d_]|.*:", node.value):
            fault = f"{node.value[:80]} is read as another number"
            raise ValueError(f"{line}: {fault}, write it plainly")


def _check(content):
    below = [content.get(f"{kind}s") for kind in KINDS] if NAMES[0](content) else [None]
    if not all(isinstance(part, dict) for part in below):
        raise ValueError("it needs `profiles` and `runs`, and below each of them names with fields")
    for kind, name in [(kind, name) for kind, part in zip(KINDS, below) for name in part]:
        if not isinstance(name, str) or not re.fullmatch(r"\w[\w.-]*", name):
            words = "a name is a text of letters, digits, -, . and _"
            raise ValueError(f"{kind} {reprlib.repr(name)}: {words}")
    for profile, sizes in content["profiles"].items():
        _check_fields(f"profile {profile}", sizes, PARAMETERS)
    known, keys = {**RUN, **dict.fromkeys(content["profiles"], LATER)}, set()
    for run, line in content["runs"].items():
        where = f"run {run}"
        _check_fields(where, line, known, ("notebook", "report", "about"))
        _check_fields(where, line, known, ("beside",) * (line["report"] in BESIDE))
        for claim in line.get("claims", []):
            needed = ("key", "claim", "family", "quantity", "expected")
            _check_fields(f"{where}, a claim", claim, CLAIM, needed)
            sides = {"against", "reference"} & set(claim)
            if len(sides) != 1 or ("margin" in claim) != (claim["expected"] == "="):
                words = "needs either `against` or `reference`, and `margin` where it says `=`"
                raise ValueError(f"{where}: a claim {words}")
            if claim["family"] == "reports" and not re.fullmatch(r"[DCEKF]\d+", claim["key"]):
                words = "of family reports has a key of theirs, D1 to F4; of your own it is ours"
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
    for name in fields:
        if name not in known:
            raise ValueError(f"{where}: {name} is unknown, there are {', '.join(known)}")
    for name in (*needed, *fields):
        if isinstance(known[name], dict):
            _check_fields(f"{where}, {name}", fields[name], known[name])
            continue
        allowed, words = known[name]
        if name not in fields or not allowed(fields[name]):
            is_now = reprlib.repr(fields[name]) if name in fields else "missing"
            raise ValueError(f"{where}: {name} is {is_now}, it must be {words}")


def parameter(run, name, value, default):
    """The value of a notebook's parameter, of its default's type; UserError if it cannot be."""
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

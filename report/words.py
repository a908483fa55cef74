"""The words of the report: guards and slots of the Markdown cells of report.ipynb.

A cell may begin with a guard, `<!-- when: CONDITION -->`, under which its text is true, or with
`<!-- if: CONDITION -->`, which chooses between texts for different editions; and it may hold slots,
`{{ VALUE }}`. All are Python over the names of `Words`, which read records and claims. Where a
guard fails, or a slot asks for what has no record, the cell is left out.
"""

import re

from helpers.store import paths
from report.vocabulary import Words

GUARD = re.compile(r"\A<!-- (when|if): (.*?) -->\n*", re.DOTALL)
SLOT = re.compile(r"\{\{ (.*?) \}\}", re.DOTALL)
NEUTRAL = (
    "This edition draws no conclusion here: its records do not bear out what the complete one says."
)


def fill(notebook, profile):
    """Fill the Markdown cells of an executed report.ipynb (an nbformat node), in place.

    Returns the guards that failed, a list of texts; a choice between editions is none. Where a
    heading is left out, so are the texts below it; in another section (not under the title) of
    which no guarded text is left, nor one that was chosen, a neutral sentence takes its place.
    UserError for a guard or a slot that is no Python.
    """
    names, failed, guarded = Words(profile).names(), [], []
    without = front = False
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        guard, text = GUARD.match(cell.source), GUARD.sub("", cell.source)
        if head := text.startswith("#"):
            _close(guarded)
            guarded, without, front = [], False, text.startswith("# ")
        left_out = "", "its section is left out"
        cell.source, why = left_out if without else _filled(text, guard, names, number)
        without = without or bool(head and why)
        if guard and guard[1] == "when" and why:
            failed.append(f"cell {number}: {why}")
        said = guard and (guard[1] == "when" or cell.source and not head)
        cell.metadata["told"] = bool(guard and cell.source and not head)  # whatever stands below
        guarded += [cell] if said and not (without or front) else []
    _close(guarded)
    return failed


def _close(guarded):
    if guarded and not any(cell.source for cell in guarded):
        guarded[0].source = NEUTRAL


def _filled(text, guard, names, number):
    # The text of a cell and None, or "" and why it is left out.
    try:
        if guard and not _value(guard[2], names, number):
            return "", f"not so: {' '.join(guard[2].split())}"
        return SLOT.sub(lambda slot: str(_value(slot[1], names, number)), text), None
    except LookupError as error:
        return "", f"no record: {error}"


def _value(expression, names, number):
    code, where = " ".join(expression.split()), f"report.ipynb, cell {number}"
    try:
        return eval(compile(code, where, "eval"), {**names, "__builtins__": {}})
    except LookupError:
        raise
    except Exception as error:
        raise paths.UserError(f"{where}: {code!r} cannot be evaluated: {error}.") from error

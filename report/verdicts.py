"""How verdicts are shown: numbers of a claim in words, and tables of claims, for report.ipynb."""

import pandas as pd

from helpers.show import Prose, Table


def interval(numbers, scale=100, digits=2):
    """A difference with its 95 % interval, for other test images too where it has one, in words:
    "+0.63 [+0.13, +1.13]", in points; "one pair" in place of an interval, a dash for no pair."""
    if not numbers["n"]:
        return "-"
    over = "" if numbers["low_images"] is None else "_images"
    ends = [numbers[name + over] for name in ("low", "high")]
    mean, *ends = (
        None if value is None else f"{scale * value:+.{digits}f}"
        for value in (numbers["difference"], *ends)
    )
    return f"{mean} [{', '.join(ends)}]" if None not in ends else f"{mean} (one pair)"


def p_text(p):
    """A p-value, as short as a table has room for; a dash for none."""
    if p is None:
        return "-"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


# Scale and digits of a claim's quantity; all others are fractions, shown in points.
UNITS = {
    **dict.fromkeys(("train_loss", "test_loss", "loss_gap", "nll", "swing"), (1, 4)),
    **dict.fromkeys(("loss_ratio", "best_epoch", "epochs", "seconds", "seconds_per_epoch"), (1, 1)),
}
NOTE = """Difference: mean over n trainings that share their seeds, with its 95 % interval for other
seeds and, of test accuracies, other test images; of a claim about one run, minus the number that it
names. Accuracies and shares in points, losses in nats, times in seconds."""


def register_table(entries, caption, label):
    """Claims for the body, parts of one in a row: words, what came out, verdict."""
    rows = [
        {
            "Claim": _name(entry),
            "What it says": entry["claim"],
            "Difference": _difference(entry),
            "n": str(entry["n"]),
            "Verdict": entry["verdict"],
        }
        for entry in entries
    ]
    note = NOTE + " A claim with several parts holds if all of them do. @sec-chance has the rule."
    return Table(pd.DataFrame(rows), caption, label, align="llrrl", note=note)


def verdict_table(entries, caption, label):
    """Claims in full, for an appendix: what was compared with what, p, and why no verdict."""
    rows = [
        {
            "Claim": _name(entry),
            "Compared": Prose(_compared(entry)),
            "Difference": _difference(entry),
            "n": str(entry["n"]),
            "p": p_text(entry["p_holm"]),
            "Verdict": entry["verdict"] + (f" ({entry['why']})" if entry["why"] else ""),
        }
        for entry in entries
    ]
    note = (
        NOTE
        + """ p: of Student's t test over paired seeds, or of two one-sided tests for ≈,
    corrected by Holm's method for all claims of this table."""
    )
    return Table(pd.DataFrame(rows), caption, label, align="llrrrl", note=note)


def _name(entry):
    return f"{entry['key']}.{entry['part']}" if entry["part"] else entry["key"]


def _difference(entry):
    return interval(entry, *UNITS.get(entry["quantity"], (100, 2)))


def _compared(entry):
    number = f"{UNITS.get(entry['quantity'], (100,))[0] * (entry['reference'] or 0):g}"
    other = f"`{entry['run_b']}`" if entry["run_b"] else number
    sign = entry["expected"].replace("=", "≈")
    return f"{entry['quantity'].replace('_', ' ')}: `{entry['run_a']}` {sign} {other}"

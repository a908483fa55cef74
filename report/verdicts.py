"""How verdicts are shown: numbers of a claim in words, and claims as a frame, for report.ipynb."""

import pandas as pd

from helpers.show import Prose

# Scale and digits of a claim's quantity; all others are fractions, shown in points.
UNITS = {
    **dict.fromkeys(("train_loss", "test_loss", "loss_gap", "nll", "swing"), (1, 4)),
    **dict.fromkeys(("loss_ratio", "best_epoch", "epochs", "seconds", "seconds_per_epoch"), (1, 1)),
}


def interval(entry):
    """A claim's difference with its 95 % interval, for other test images too where it has one, in
    words: "+0.63 [+0.13, +1.13]", in points; "one pair" or "one training" in place of an interval,
    a dash for none, and where a stand-in would stand against a number that a report names."""
    if not entry["n"] or entry["why"] == "stand-in" and entry["reference"] is not None:
        return "-"
    scale, digits = UNITS.get(entry["quantity"], (100, 2))
    over = "" if entry["low_images"] is None else "_images"
    numbers = [entry["difference"], entry[f"low{over}"], entry[f"high{over}"]]
    mean, *ends = (f"{scale * n:+.{digits}f}" for n in numbers if n is not None)
    alone = "one pair" if entry["run_b"] else "one training"
    return f"{mean} [{', '.join(ends)}]" if ends else f"{mean} ({alone})"


def p_text(p):
    """A p-value, as short as a table has room for, yet on its side of 5 %; a dash for none."""
    if p is None:
        return "-"
    if f"{p:.2f}" == "0.05":
        return "< 0.05" if p < 0.05 else "≥ 0.05"
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def shown(entries):
    """Claims of the register as a frame for people, parts of one in a row: words, what was compared
    with what, what came out, verdict, and in `Why` what stood against one."""
    columns = ["Claim", "What it says", "Compared", "Difference", "n", "p", "Verdict", "Why"]
    rows = [
        (
            f"{entry['key']}.{entry['part']}" if entry["part"] else entry["key"],
            entry["claim"],
            Prose(_compared(entry)),
            interval(entry),
            str(entry["n"]),
            p_text(entry["p_holm"]),
            entry["verdict"],
            f" ({entry['why']})" if entry["why"] else "",
        )
        for entry in entries
    ]
    return pd.DataFrame(rows, columns=columns)


def _compared(entry):
    number = f"{UNITS.get(entry['quantity'], (100,))[0] * (entry['reference'] or 0):g}"
    other = f"`{entry['run_b']}`" if entry["run_b"] else number
    sign = entry["expected"].replace("=", "≈")
    return f"{entry['quantity'].replace('_', ' ')}: `{entry['run_a']}` {sign} {other}"

"""Where everything lies. Imports nothing of this project, so that everything may import it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
RUNS = NOTEBOOKS / "runs.yaml"
REPORT_SOURCE = ROOT / "report"

# Two switches for a read-only checkout or a shared disk: what is built goes below OUT, what is downloaded into DATA_DIR.
OUT = Path(os.environ.get("OUT") or ROOT).expanduser().resolve()
DATA = Path(os.environ.get("DATA_DIR") or ROOT / "data").expanduser().resolve()


class UserError(Exception):
    """Something the user can put right. Its text is one line that says what to do; no traceback is shown."""


def report(profile):
    """Folder of one edition of the report: results, executed notebooks, report.html, report.pdf."""
    return OUT / "report" / profile


def results(profile):
    """Folder of the result records, RUN.json with RUN.npz beside it."""
    return report(profile) / "results"


def executed(profile):
    """Folder of the executed notebooks, RUN.ipynb with RUN.html beside it."""
    return report(profile) / "notebooks"


def figures(profile, run):
    """Folder of one run's figures."""
    return OUT / "figures" / profile / run


def trained(profile, run):
    """Folder of one run's trained networks, a file a seed."""
    return DATA / "trained" / profile / run

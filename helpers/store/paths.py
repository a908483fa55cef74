"""Where everything lies. Imports nothing of this project, so that everything may import it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
RUNS = NOTEBOOKS / "runs.yaml"
REPORT_SOURCE = ROOT / "report"


def setting(name, default):
    """The folder that an environment variable names. A relative one is seen from the project's root, wherever the process runs."""
    return (ROOT / Path(os.environ.get(name) or default).expanduser()).resolve()


# Two switches for a read-only checkout or a shared disk: what is built goes below OUT, what is downloaded into DATA_DIR.
OUT = setting("OUT", ROOT)
DATA = setting("DATA_DIR", "data")


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

"""Where everything lies. Imports nothing of this project, so that everything may import it."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
REPORT_SOURCE = ROOT / "report"


def setting(name, default):
    """The folder that an environment variable names; a relative one is seen from the project's."""
    return (ROOT / Path(os.environ.get(name) or default).expanduser()).resolve()


# For a read-only checkout or a shared disk: what is built goes below OUT, data into DATA_DIR.
OUT = setting("OUT", ROOT)
DATA = setting("DATA_DIR", "data")
RUNS = setting("RUNS_FILE", "notebooks/runs.yaml")  # `make own` has one of its own


class UserError(Exception):
    """Something the user can put right: one line that says what to do, shown without traceback."""


def literal(path):
    """A path for papermill, which takes {name} in a path for a parameter."""
    return str(path).replace("{", "{{").replace("}", "}}")


def report(profile):
    """Folder of one edition of the report: results, executed notebooks, report.html, report.pdf."""
    return OUT / "report" / profile


def results(profile):
    """Folder of the result records: RUN.json, and beside it RUN.npz and RUN.sha256."""
    return report(profile) / "results"


def models(profile):
    """Folder of the trained networks that an edition carries, RUN.keras with a card RUN.md."""
    return report(profile) / "models"


def executed(profile):
    """Folder of the executed notebooks, RUN.ipynb with RUN.html beside it."""
    return report(profile) / "notebooks"


def figures(profile, run):
    """Folder of one run's figures."""
    return OUT / "figures" / profile / run


def trained(profile, run):
    """Folder of one run's trained networks, one a seed."""
    return DATA / "trained" / profile / run

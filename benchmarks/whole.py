"""Whole runs: the grid, what a run costs besides training, what it costs to find nothing to do, and
the report.

Everything is written into a temporary folder, on stand-ins.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat

from benchmarks import measure
from helpers import results, runs
from helpers.store import paths

# A short run of each notebook that trains or judges.
GRID = [
    "mnist-mlp",
    "fashion-cnn-1x100",
    "emnist-third-letters",
    "fingers-carlosnet-plain",
    "k49-search",
    "audit-mnist",
    "mnist-mlp-course",
    "k49-tuned-fast",
    "ensemble-letters",
    "evolved-letters",
    "best-clothes",
    "parts-mnist",
    "how-many-clothes",
    "robust-k49",
    "moves-clothes",
]
START = [
    "mnist-mlp",
    "fashion-cnn-1x100",
    "mnist-second-v2",
    "emnist-third-letters",
    "fingers-carlosnet-plain",
]  # one for each repeat, from all that train
SETTINGS = (
    "MIRROR",
    "DATA",
    "SCHEDULER",
    "FORCE",
    "SEEDS",
    "LIMIT",
    "KERAS_BACKEND",
)  # of the caller, which must not reach what is measured
PYTHON = sys.executable


class Folder:
    """A temporary place for results and trained networks; the stand-ins of these runs are those of
    the data folder."""

    def __init__(self, name, names):
        from helpers import datasets

        self.out, self.data = Path(name) / "out", Path(name) / "data"
        for dataset in {runs.parameters(run, "quick")["dataset"] for run in names}:
            datasets.prepare(dataset, mode="stand-in")
        self.environment = {
            "OUT": str(self.out),
            "DATA_DIR": str(self.data),
            "DATA": "stand-in",
            "KERAS_REPORTS_ONLINE": "0",
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }
        self.clear()

    def clear(self):
        """Forget every result and every trained network."""
        for folder in (self.out, self.data):
            shutil.rmtree(folder, ignore_errors=True)
        self.data.mkdir(parents=True)
        (self.data / "stand-in").symlink_to(paths.DATA / "stand-in", target_is_directory=True)


def told(command, environment, folder=paths.ROOT):
    """Wall seconds of a command in the project's folder, without the caller's settings, and what it
    printed."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return measure.command(command, folder, {**kept, **environment})


def seconds(*arguments):
    """The seconds alone."""
    return told(*arguments)[0]


def papermill(run, profile, output):
    """The command that executes a run's notebook as papermill's manual says."""
    values = runs.parameters(run, profile)
    return [
        PYTHON,
        "-m",
        "papermill",
        "--no-progress-bar",
        "--cwd",
        paths.NOTEBOOKS,
        "-k",
        "python3",
        "-b",
        _encoded(values),
        paths.NOTEBOOKS / f"{runs.entry(run)['notebook']}.ipynb",
        output,
    ]


def _encoded(values):
    import base64

    return base64.b64encode(json.dumps(values).encode()).decode()


def grid(say=print):
    """Row `grid`: wall seconds of papermill, one notebook after another, over those of the grid,
    for the same runs of the quick profile."""
    say(
        f"  {', '.join(GRID)} of the quick profile; "
        "seconds, papermill one after another over the grid"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Folder(name, GRID)

        def one_after_another():
            folder.clear()
            return sum(
                seconds(papermill(run, "quick", f"{name}/{run}.ipynb"), folder.environment)
                for run in GRID
            )

        def ours():
            folder.clear()
            return seconds(
                [PYTHON, "-m", "grid", "--profile", "quick", "--runs", ",".join(GRID)],
                folder.environment,
            )

        return {"grid": measure.ratios(measure.alternate(one_after_another, ours, say))}


def start(say=print):
    """Row `start`: seconds of a run of the quick profile outside `fit` over those of a notebook
    that only imports Keras; another run in each repeat."""
    say(f"  {', '.join(START)}; seconds outside fit over a notebook that imports Keras")
    with tempfile.TemporaryDirectory() as name:
        folder, turn, bare = Folder(name, START), iter(START), Path(name) / "bare.ipynb"
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import keras")]), bare
        )

        def outside_fit():
            run = next(turn)
            folder.clear()
            command = [
                PYTHON,
                "-m",
                "grid.execution",
                json.dumps(
                    {
                        "run": run,
                        "profile": "quick",
                        "values": runs.parameters(run, "quick"),
                        "limit": 600,
                        "parent": os.getpid(),
                    }
                ),
            ]
            whole = seconds(command, {**folder.environment, "RUN_FINGERPRINT": "benchmark"})
            record = json.loads(
                (folder.out / "report/quick/results" / f"{run}.json").read_text(encoding="utf-8")
            )
            return whole - sum(seed["seconds"] for seed in record["seeds"])

        def only_keras():
            return seconds(
                [
                    PYTHON,
                    "-m",
                    "papermill",
                    "--no-progress-bar",
                    "-k",
                    "python3",
                    bare,
                    f"{name}/bare.out.ipynb",
                ],
                folder.environment,
            )

        return {"start": measure.ratios(measure.alternate(outside_fit, only_keras, say))}


def edition(name):
    """A copy of the committed full edition in a folder of its own, and the environment that works
    on it there."""
    shutil.copytree(
        paths.ROOT / "report/full",
        f"{name}/report/full",
        ignore=shutil.ignore_patterns("notebooks", ".*"),
    )
    shutil.copytree(paths.ROOT / "figures/full", f"{name}/figures/full")
    return {
        "OUT": str(name),
        "DATA_DIR": f"{name}/data",
        "KERAS_REPORTS_ONLINE": "0",
        "TF_CPP_MIN_LOG_LEVEL": "2",
    }


def noop(say=print):
    """Row `noop`: seconds of `make all` with nothing to do, over those of `python -c "import
    tensorflow"`."""
    with tempfile.TemporaryDirectory() as name:
        environment = edition(name)
        seeds = {
            run: len(record["seeds"])
            for run in runs.select()
            if (record := results.load("full", run))
        }
        environment["SEEDS"] = str(
            min(seeds.values())
        )  # the edition may still be waiting for further seeds
        say(
            f"  the {len(seeds)} runs of the committed edition; "
            "seconds, `make all` with nothing to do over importing TensorFlow"
        )
        command = ["make", "--no-print-directory", "all", "PROFILE=full", f"RUNS={','.join(seeds)}"]
        seconds(command, environment)  # writes the report
        _, nothing = told(command, environment)
        if "up to date" not in nothing or "written" in nothing:
            raise RuntimeError(f"`make all` found something to do: {nothing}")
        pairs = measure.alternate(
            lambda: seconds(command, environment),
            lambda: seconds([PYTHON, "-c", "import tensorflow"], environment),
            say,
        )
        return {"noop": measure.ratios(pairs)}


def report(say=print):
    """Row `report`: seconds of `make report`, over those of pandoc and Typst alone on the text that
    came out of it."""
    with tempfile.TemporaryDirectory() as name:
        environment, folder = edition(f"{name}/edition"), Path(name) / "bare"
        folder.mkdir()
        seconds(
            [
                PYTHON,
                "-c",
                "import sys; from benchmarks import whole; whole.text(sys.argv[1])",
                folder,
            ],
            environment,
        )
        say(
            "  the committed edition; seconds, `make report` over pandoc and Typst on the same text"
        )

        def ours():
            for left in Path(environment["OUT"]).glob(
                "report/full/*report*"
            ):  # its state too: everything is made again
                if left.is_file():
                    left.unlink()
            return seconds(["make", "--no-print-directory", "report", "PROFILE=full"], environment)

        return {
            "report": measure.ratios(
                measure.alternate(ours, lambda: bare(folder, environment), say)
            )
        }


def text(folder):
    """Write the report's Markdown and the pictures it shows into a folder. In a process of its own,
    where OUT names the copy: drawing changes figures."""
    from report import pages

    node = pages.execute(paths.REPORT_SOURCE / "report.ipynb", {"profile": "full"})
    (Path(folder) / "report.md").write_text(pages.markdown(node, folder), encoding="utf-8")


def bare(folder, environment):
    """Seconds of pandoc to HTML, pandoc to Typst and Typst to PDF, one after another, with the
    default templates and no filter of ours."""
    from report import typeset

    pandoc = [
        typeset.pandoc_program(),
        "report.md",
        f"--from={typeset.MARKDOWN}",
        "--standalone",
        "--toc",
        "--number-sections",
        "--citeproc",
        f"--bibliography={typeset.BIBLIOGRAPHY}",
        f"--resource-path=.{os.pathsep}{environment['OUT']}",
    ]
    fonts = str(typeset.kana_folder())
    typst = (
        f"import typst; typst.compile('report.typ', output='report.pdf', font_paths=[{fonts!r}])"
    )
    return sum(
        seconds(words, environment, folder)
        for words in (
            [*pandoc, "--mathml", "--embed-resources", "--output=report.html"],
            [*pandoc, "--extract-media=media", "--output=report.typ"],
            [PYTHON, "-c", typst],
        )
    )

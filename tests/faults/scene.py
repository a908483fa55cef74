"""A copy of the project in a folder of its own, in which the real grid can be started, watched,
damaged and killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
import zipfile
from pathlib import Path

import nbformat
import numpy as np
import yaml
from PIL import Image

from helpers.store import files, paths

SLOW = "slow-mlp"  # a real network whose training lasts long enough to be hit in it
DONE = "done"  # a notebook that takes no time, with a record, predictions and a figure
SAVES = """
import io, os
import numpy as np
from PIL import Image
from helpers import results
from helpers.store import files, paths
folder, picture, arrays = paths.results(profile), io.BytesIO(), io.BytesIO()
np.savez(arrays, y_true=np.arange(10))
Image.linear_gradient("L").save(picture, "PNG")
files.save_bytes(paths.figures(profile, run) / "samples.png", picture.getvalue())
with open(paths.OUT / "executions.txt", "a") as log:
    print(run, file=log)
figure = {"path": f"figures/{profile}/{run}/samples.png", "caption": "A picture."}
content = {**dict.fromkeys(results.FIELDS), "run": run,
    "fingerprint": os.environ["RUN_FINGERPRINT"],
    "dataset": {"kind": "partial", "sha256": "?", "label": "MNIST"},
    "seeds": [{"seed": 0, "test_accuracy": 0.5, "seconds": 1.0}],
    "figures": [figure], "finished": os.urandom(4).hex()}
written = {folder / f"{run}.npz": arrays.getvalue(), folder / f"{run}.json": files.as_json(content)}
files.save_all(written, manifest=folder / f"{run}.sha256")
"""
# Read by every Python that starts in the scene: it cuts the power just before a rename, and can
# make links impossible.
HOOKS = """
import os, signal
if "SCENE_CUT" in os.environ:
    replace = os.replace
    def cut(*arguments, **options):
        with open(os.environ["SCENE_CUT"], "ab") as count:
            count.write(b".")
        if os.stat(os.environ["SCENE_CUT"]).st_size == int(os.environ["SCENE_AT"]):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/environ", "rb") as environment:
                        ours = b"SCENE=" + os.environ["SCENE"].encode() in environment.read()
                    if ours and int(pid) != os.getpid():
                        os.kill(int(pid), signal.SIGKILL)
                except OSError:
                    pass
            os.kill(os.getpid(), signal.SIGKILL)
        return replace(*arguments, **options)
    os.replace = cut
if "SCENE_NO_LINKS" in os.environ:
    def refuse(*_, **__):
        raise PermissionError(1, "Operation not permitted")
    os.symlink = os.link = refuse
"""


class Scene:
    """`root` is the copy; `out`, `data` and `mirror` lie in it unless they are given."""

    def __init__(self, root, out=None, data=None):
        self.root, self.mark = Path(root), uuid.uuid4().hex
        self.out, self.data, self.mirror = (
            out or self.root,
            data or self.root / "data",
            self.root / "mirror",
        )
        for name in ("helpers", "grid", "notebooks", "report/style"):
            shutil.copytree(
                paths.ROOT / name,
                self.root / name,
                ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"),
            )
        for path in [
            *(paths.ROOT / "report").glob("*.*"),
            paths.ROOT / "uv.lock",
            paths.ROOT / "Makefile",
        ]:
            shutil.copy2(path, self.root / path.relative_to(paths.ROOT))
        os.symlink(Path(sys.prefix), self.root / ".venv")
        (self.root / "sitecustomize.py").write_text(HOOKS)
        table = yaml.safe_load((self.root / "notebooks" / "runs.yaml").read_text(encoding="utf-8"))
        first = self.first = {**table["runs"]["mnist-mlp"], "claims": []}
        table["runs"][SLOW] = {
            **first,
            "smoke": {
                "epochs": 120,
                "train_images": 300,
                "validation_images": 50,
                "test_images": 50,
            },
        }
        self.table = table
        self.write_runs()
        self.notebook(DONE, SAVES)
        write_mirror(self.mirror)

    def write_runs(self):
        (self.root / "notebooks" / "runs.yaml").write_text(
            yaml.safe_dump(self.table, sort_keys=False), encoding="utf-8"
        )

    def notebook(self, name, code, **sizes):
        """Add a run with a notebook of its own: parameters, a cell, and one that runs `code`."""
        node = nbformat.v4.new_notebook(
            metadata={
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            }
        )
        node.cells = [
            nbformat.v4.new_code_cell(source, id=f"c{number}")
            for number, source in enumerate(
                (f'run = "{name}"\nprofile = "lab"\ndataset = "mnist"', "started = True", code)
            )
        ]
        node.cells[0].metadata.tags = ["parameters"]
        nbformat.write(node, self.root / "notebooks" / f"{name}.ipynb")
        self.table["runs"][name] = {
            "notebook": name,
            "report": "mnist-2019",
            "about": "A test.",
            "parameters": {"dataset": "mnist"},
            "smoke": sizes,
        }
        self.write_runs()

    def environment(self, **changes):
        """What a process of the scene gets; a change to None takes a variable away."""
        outer = {
            name: value
            for name, value in os.environ.items()
            if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")
        }  # the suite itself runs below make
        found = {
            **outer,
            "OUT": str(self.out),
            "DATA_DIR": str(self.data),
            "MIRROR": str(self.mirror),
            "PYTHONPATH": str(self.root),
            "SCENE": self.mark,
        }
        return {name: value for name, value in {**found, **changes}.items() if value is not None}

    def start(self, *runs, module="grid", prefix=(), command=None, **changes):
        """Start the grid on some runs of `smoke` (or another module, or another command) in a
        session of its own."""
        command = command or [
            sys.executable,
            "-m",
            module,
            "--profile",
            "smoke",
            *(["--runs", ",".join(runs)] if runs else []),
        ]
        return subprocess.Popen(
            [*prefix, *command],
            cwd=self.root,
            env=self.environment(**changes),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def call(self, *runs, **options):
        """The same, to its end: (exit status, stdout, stderr). No traceback is ever shown."""
        return self.ended(self.start(*runs, **options))

    def ended(self, process):
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in out + err, out + err
        return process.returncode, out, err

    def make(self, *arguments, **changes):
        """Start `make`, with the environment taken as ready."""
        return self.start(
            command=["make", "--no-print-directory", "-o", ".venv/.ready", *arguments], **changes
        )

    # what is there

    def results(self, name=""):
        return self.out / "report" / "smoke" / "results" / name

    def notebooks(self, name=""):
        return self.out / "report" / "smoke" / "notebooks" / name

    def record(self, run):
        return json.loads(self.results(f"{run}.json").read_text(encoding="utf-8"))

    def told(self, run):
        """What the training last told of its progress."""
        return (files.load_json(self.notebooks(f".{run}.progress.json")) or {}).get("text", "")

    def executions(self):
        """The notebooks made with SAVES that have been executed to their end, a name each time."""
        path = self.out / "executions.txt"
        return path.read_text().split() if path.exists() else []

    def processes(self, word=""):
        """Ids of the scene's living processes whose command line holds a word, or whose name it is:
        forks have the command line of what they were forked from."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                ours = f"SCENE={self.mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes()
                if (
                    ours
                    and (
                        word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
                        or word == Path(f"/proc/{pid}/comm").read_text().strip()
                    )
                    and Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
                ):
                    found.append(int(pid))
            except OSError:
                continue  # it has ended just now
        return found

    def kill_all(self):
        """The power is cut."""
        for pid in self.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass

    def assert_nobody_left(self):
        """No process of the scene remains, after the seconds that an orphan needs to notice."""
        left = lambda: [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.processes()]  # noqa: E731
        wait_for(lambda: not self.processes(), 30, lambda: f"still there: {left()}")

    def assert_whole(self):
        """Every file under a final name is what it should be, to its last byte."""
        places = (self.out / "report" / "smoke", self.out / "figures", self.data)
        for path in [path for place in places for path in place.rglob("*") if path.is_file()]:
            if any(part.startswith(".") for part in path.relative_to(self.root.parent).parts):
                continue
            if path.suffix == ".json":
                json.loads(path.read_bytes())
            elif path.suffix == ".ipynb":
                nbformat.validate(nbformat.from_dict(json.loads(path.read_bytes())))
            elif path.suffix == ".sha256":  # a power cut may leave it behind what it describes
                assert path.read_text(encoding="ascii").endswith("\n"), path
            elif path.suffix == ".npz":
                with zipfile.ZipFile(path) as archive:
                    assert archive.testzip() is None, path
            elif path.suffix == ".png":
                Image.open(path).load()
            elif path.suffix == ".html":
                assert path.read_text(encoding="utf-8").rstrip().endswith("</html>"), path
            elif path.suffix == ".pdf":
                assert path.read_bytes().rstrip().endswith(b"%%EOF"), path


def wait_for(condition, seconds, what=lambda: "it never came"):
    """Until a condition holds; an assertion fails where it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def write_mirror(folder, images=600):
    """A mirror with a small `mnist`: noise with a bright column whose place is the class."""
    rng, arrays = np.random.default_rng(0), {}
    for part, count in (("train", images), ("test", images // 2)):
        labels = (np.arange(count) % 10).astype("uint8")
        pictures = rng.integers(0, 100, (count, 28, 28), dtype="uint8")
        pictures[np.arange(count), :, labels * 2] = 250
        arrays |= {f"x_{part}": pictures, f"y_{part}": labels}
    folder.mkdir(exist_ok=True)
    np.savez_compressed(folder / "mnist.npz", **arrays)
    record = {
        "name": "mnist",
        "complete": False,
        "sha256": files.sha256(folder / "mnist.npz"),
        "split": "drawn by the tests",
        "class_names": [str(n) for n in range(10)],
    }
    files.save_json(folder / "mnist.json", record)


def snapshot(*folders):
    """What makes a file another file, for all files of some folders: place, time of change,
    content."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns, files.sha256(path))
        for folder in folders
        for path in Path(folder).rglob("*")
        if path.is_file()
    }

"""Notebooks that end badly: the others finish, the partial notebook stays, the summary says what
and where."""

import json
import re

import pytest

from faults.scene import DONE, Scene

SAVE = "from helpers.store import files, paths\npath = paths.results(profile) / f'{run}.json'\n"
LIMITED = "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))\n"
BAD = {
    "exhausts-memory": (
        LIMITED + "import numpy\nnumpy.ones(2**40)",
        "MemoryError|Unable to allocate",
    ),
    "killed-for-memory": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "DeadKernelError",
    ),
    "writes-nonsense": (
        SAVE + "files.save_bytes(path, b'{\"run\": ')",
        "ended before it saved its record",
    ),
    "saves-nan": (
        SAVE + "files.save_json(path, {'loss': float('nan')})",
        "not JSON compliant",
    ),
}
FAULT = {
    "exhausts-memory": "Notebook that runs out of memory",
    "killed-for-memory": "Kernel killed for memory by the system",
    "writes-nonsense": "Notebook that leaves half a record",
    "saves-nan": "Notebook whose record holds NaN",
    "diverges": "Training whose loss turns NaN",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """The scene, what the grid said of a good run and the bad ones, and its summary."""
    scene = Scene(tmp_path_factory.mktemp("notebooks"))
    for name, (code, _) in BAD.items():
        scene.notebook(name, code)
    parameters = {**scene.first["parameters"], "learning_rate": 1e38}
    scene.table["runs"]["diverges"] = {
        **scene.first,
        "parameters": parameters,
        "smoke": {"train_images": 300, "validation_images": 50},
    }
    scene.write_runs()
    status, out, err = scene.call(*BAD, "diverges", DONE)
    assert status == 1, out + err
    scene.assert_nobody_left()
    return scene, out[: out.index("\n\n")], out[out.index("\n\n") :]


@pytest.mark.parametrize(
    "run",
    [
        pytest.param(
            run,
            marks=pytest.mark.fault(
                FAULT[run],
                "named with its reason and its partial notebook; the others finish; exit status 1",
            ),
        )
        for run in FAULT
    ],
)
def test_a_bad_notebook_is_named_and_kept(said, run):
    scene, lines, summary = said
    reason = BAD[run][1] if run in BAD else "no longer a number"
    assert re.search(rf"{run}  FAILED: .*({reason})", summary), summary
    partial = scene.notebooks(f"{run}.failed.ipynb")
    assert str(partial) in summary and json.loads(partial.read_text())["cells"]
    assert (
        not scene.notebooks(f"{run}.ipynb").exists()
        and not (scene.data / "trained" / "smoke" / run / "seed-0.json").exists()
    )
    assert re.search(rf"{DONE}: test accuracy", lines) and "1 runs done, 5 failed." in summary

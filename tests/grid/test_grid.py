"""The grid: what is stale and why, what is refused in one line, and that a run that fails takes no other with it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from test_results import made, outcomes  # noqa: F401  (fixtures: a tiny record of mnist-mlp)

from grid import execution, progress
from grid import runner as grid
from helpers import datasets, results, runs
from helpers.datasets import copies
from helpers.store import files, paths


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """Whatever a test or the grid itself puts into the environment goes with the test."""
    for name in (*grid.PASSED_ON, "SCHEDULER", "SEEDS", "RUN_FINGERPRINT"):
        if name not in ("DATA_DIR", "OUT", "KERAS_REPORTS_ONLINE"):
            monkeypatch.setenv(name, "")
            monkeypatch.delenv(name)


# --- staleness ------------------------------------------------------------------------------------------------------------


def hold(meta, kind="official"):
    """Puts a prepared copy of a data set into the data folder: its provenance only, which is all that the grid reads."""
    meta = {**{key: "" for key in copies.RECORDED}, **meta, "kind": kind}
    files.save_json(copies.folder("mnist", kind) / "meta.json", meta)
    return meta


@pytest.fixture
def fresh(made, tiny):  # noqa: F811
    """An up-to-date record of mnist-mlp under smoke, and its data."""
    hold(tiny.meta)
    content, predictions = made(seeds=runs.parameters("mnist-mlp", "smoke")["seeds"])
    results.save(content, predictions)
    return content


def test_a_record_that_still_holds_is_not_stale(fresh):
    assert grid.staleness("mnist-mlp", "smoke") == ""
    os.utime(paths.results("smoke") / "mnist-mlp.json", (1, 1))
    assert grid.staleness("mnist-mlp", "smoke") == "", "times do not matter"


def test_a_run_without_record_is_stale(fresh):
    assert grid.staleness("mnist-cnn", "smoke") == "no record"
    assert grid.staleness("mnist-mlp", "quick") == "no record"
    path = paths.results("smoke") / "mnist-mlp.json"
    path.write_bytes(path.read_bytes()[:-9])
    assert grid.staleness("mnist-mlp", "smoke") == "no record"


def test_damaged_predictions_make_a_run_stale(fresh):
    (paths.results("smoke") / "mnist-mlp.npz").write_bytes(b"PK")
    assert grid.staleness("mnist-mlp", "smoke") == "predictions missing or damaged"


def test_a_changed_fingerprint_makes_a_run_stale(fresh, tiny, monkeypatch):
    hold({**tiny.meta, "sha256": "other images"})
    assert grid.staleness("mnist-mlp", "smoke") == "parameters, data or code changed"
    hold(tiny.meta)
    assert grid.staleness("mnist-mlp", "smoke") == ""
    changed = runs._constant
    monkeypatch.setattr(
        runs, "_constant", lambda module, name: 999 if name == "RESULTS" else changed(module, name)
    )
    assert grid.staleness("mnist-mlp", "smoke") == "parameters, data or code changed"


def test_a_record_is_trusted_where_its_data_are_not_there(fresh):
    shutil.rmtree(paths.DATA)
    assert grid.staleness("mnist-mlp", "smoke") == "", "a clone that carries records reruns nothing"


def test_a_stand_in_on_disk_does_not_unsettle_a_real_record(fresh, tiny):
    shutil.rmtree(paths.DATA)
    hold({**tiny.meta, "sha256": "drawn"}, "stand-in")
    assert grid.staleness("mnist-mlp", "smoke") == ""


def test_a_stand_ins_record_gives_way_where_real_images_are_asked_for(
    made, tiny, monkeypatch, tmp_path
):  # noqa: F811
    hold(tiny.meta, "stand-in")
    results.save(*made(seeds=runs.parameters("mnist-mlp", "smoke")["seeds"], kind="stand-in"))
    assert grid.staleness("mnist-mlp", "smoke") == ""
    monkeypatch.setenv("DATA", "real")
    assert grid.staleness("mnist-mlp", "smoke") == "real images instead of stand-ins"
    monkeypatch.delenv("DATA")
    hold({**tiny.meta, "sha256": "real ones"})
    assert grid.staleness("mnist-mlp", "smoke") == "parameters, data or code changed"


def test_missing_seeds_are_told_and_too_many_do_no_harm(fresh, monkeypatch):
    have = len(fresh["seeds"])
    monkeypatch.setenv("SEEDS", str(have + 3))
    assert grid.staleness("mnist-mlp", "smoke") == f"{have} of {have + 3} seeds"
    monkeypatch.setenv("SEEDS", "1")
    assert grid.staleness("mnist-mlp", "smoke") == ""


def test_force_makes_everything_stale(fresh, monkeypatch):
    monkeypatch.setenv("FORCE", "1")
    assert grid.staleness("mnist-mlp", "smoke") == "FORCE=1"
    monkeypatch.setenv("FORCE", "")
    assert grid.staleness("mnist-mlp", "smoke") == ""


class Client:
    """Takes what the grid submits."""

    def __init__(self, *offered):
        self.offered, self.taken = offered, None

    def scheduler_info(self, **_):
        return {
            "workers": {
                str(number): {"resources": {"cores": cores} if cores else {}}
                for number, cores in enumerate(self.offered)
            }
        }

    def submit(self, function, *arguments, **options):
        self.taken = (function, arguments, options)


def submitted(run, *offered):
    client = Client(*offered)
    grid.submit(client, run, "smoke", 0)
    return client.taken


def test_a_run_goes_on_at_the_first_seed_that_is_missing(fresh, monkeypatch):
    have = len(fresh["seeds"])
    monkeypatch.setenv("SEEDS", str(have + 2))
    _, (_, _, values, environment, _), _ = submitted("mnist-mlp", 2)
    assert values["first_seed"] == have and values["seeds"] == have + 2
    assert environment["RUN_FINGERPRINT"] == fresh["fingerprint"]
    monkeypatch.setenv("FORCE", "1")
    assert submitted("mnist-mlp", 2)[1][2]["first_seed"] == 0, "forced, it starts anew"


def test_a_run_of_another_code_starts_anew(fresh, monkeypatch):
    monkeypatch.setenv("SEEDS", "5")
    changed = runs._constant
    monkeypatch.setattr(
        runs, "_constant", lambda module, name: 999 if name == "RESULTS" else changed(module, name)
    )
    assert submitted("mnist-mlp", 2)[1][2]["first_seed"] == 0


def test_large_networks_get_the_cores_they_ask_for_where_there_are_so_many(fresh):
    assert submitted("mnist-mlp", 2)[2]["resources"] == {"cores": 1}
    assert submitted("fingers-ivannet-plain", 2)[2]["resources"] == {"cores": 2}
    assert submitted("fingers-ivannet-plain", 1, 1)[2]["resources"] == {"cores": 1}, (
        "no worker has two"
    )
    assert submitted("mnist-mlp", None)[2]["resources"] is None, (
        "a cluster that offers no such resource"
    )


# --- what is refused: one line, status 2, nothing lost --------------------------------------------------------------------


def refused(capsys, *arguments):
    status = grid.main(list(arguments))
    told = capsys.readouterr()
    assert status != 0
    assert (
        told.err.startswith("Error: ")
        and told.err.count("\n") == 1
        and "Traceback" not in told.err + told.out
    )
    return told.err


@pytest.fixture
def nothing_runs(monkeypatch):
    """Bad settings must be found before anything is executed."""
    monkeypatch.setattr(execution, "execute", lambda *_: pytest.fail("executed"))


@pytest.mark.parametrize(
    "arguments, environment, message",
    [
        (["--profile", "fast"], {}, "Unknown profile fast. The profiles are: smoke, quick, full."),
        (["--runs", "mnist-mpl"], {}, "Unknown run mnist-mpl. The runs are: mnist-mlp"),
        (["--runs", "mnist-mlp,nothing"], {}, "Unknown run nothing"),
        (
            [],
            {"KERAS_BACKEND": "theano"},
            "Unknown backend KERAS_BACKEND=theano. Use tensorflow, jax or torch.",
        ),
        ([], {"SCHEDULER": "myhost:8786"}, "SCHEDULER=myhost:8786 is no address"),
        ([], {"DATA": "bad"}, "Unknown DATA=bad: choose auto, real, stand-in"),
        ([], {"MIRROR": "no/such/folder"}, "There is no mirror folder"),
        ([], {"SEEDS": "many"}, "SEEDS=many: give a whole number"),
        ([], {"LIMIT": "soon"}, "LIMIT=soon: give the seconds"),
        ([], {"DATA": "real"}, "There are no real images of mnist"),
        (["--profile", "full"], {"DATA": "stand-in"}, "Profile full is for real images only"),
        (["--profile", "full"], {}, "There are no real images of mnist"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, (list, dict)) else None,
)
def test_bad_settings_give_one_line(
    folders, monkeypatch, capsys, nothing_runs, arguments, environment, message
):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    arguments = arguments if "--runs" in arguments else [*arguments, "--runs", "mnist-mlp"]
    assert message in refused(
        capsys, *(arguments if "--profile" in arguments else ["--profile", "smoke", *arguments])
    )
    assert not list(folders.rglob("*.json")), "nothing was begun"


def test_an_output_folder_that_cannot_be_written_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs, tiny
):
    hold(tiny.meta)
    (folders / "file").write_text("in the way")
    monkeypatch.setattr(paths, "OUT", folders / "file")
    assert "OUT=DIR" in refused(capsys, "--profile", "smoke", "--runs", "mnist-mlp")


def test_a_data_folder_that_cannot_be_written_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs
):
    (folders / "file").write_text("in the way")
    monkeypatch.setattr(paths, "DATA", folders / "file" / "data")
    monkeypatch.setattr(
        datasets.sources, "stand_in", lambda name, into: pytest.fail("drawn in vain")
    )
    assert "DATA_DIR=DIR" in refused(capsys, "--profile", "smoke", "--runs", "mnist-mlp")


def test_a_scheduler_that_does_not_answer_gives_one_line(
    folders, monkeypatch, capsys, nothing_runs, tiny
):
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    hold(tiny.meta)
    monkeypatch.setenv("SCHEDULER", address)
    import distributed

    connect = distributed.Client
    monkeypatch.setattr(
        distributed, "Client", lambda address, timeout: connect(address, timeout="1s")
    )
    assert f"No Dask scheduler answers at {address}" in refused(
        capsys, "--profile", "smoke", "--runs", "mnist-mlp"
    )


def test_an_unknown_option_gives_the_usage_and_status_two(capsys):
    with pytest.raises(SystemExit) as ended:
        grid.main(["--profil"])
    assert ended.value.code == 2 and "usage" in capsys.readouterr().err


def test_up_to_date_runs_are_told_and_nothing_is_loaded(fresh, capsys, nothing_runs):
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp"]) == 0
    assert "All 1 runs of profile smoke are up to date" in capsys.readouterr().out


def test_interrupting_the_grid_says_what_is_kept(fresh, monkeypatch, capsys):
    monkeypatch.setenv("FORCE", "1")
    monkeypatch.setattr(progress, "watch", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert grid.main(["--profile", "smoke", "--runs", "mnist-mlp"]) == 130
    assert "what was finished is kept" in capsys.readouterr().err


# --- a house of its own, with notebooks that take no time -----------------------------------------------------------------

SAVES = """
import hashlib, json, os
from helpers.store import files, paths
fields = ["run", "notebook", "parameters", "parameter_count", "network_sha256", "extra", "reported", "versions", "hardware", "figures", "finished"]
folder = paths.results(profile)
files.save_bytes(folder / f"{run}.npz", b"predictions")
files.save_json(folder / f"{run}.json", {**dict.fromkeys(fields), "run": run, "fingerprint": os.environ["RUN_FINGERPRINT"],
    "dataset": {"kind": "official", "sha256": "sha", "label": "MNIST"}, "seeds": [{"seed": 0, "test_accuracy": 0.5, "seconds": 1.0}],
    "predictions_sha256": hashlib.sha256(b"predictions").hexdigest()})
"""
TINY = {
    "good": SAVES,
    "raises": "print('before')\nraise ValueError('much ado')",
    "refuses": "from helpers.store.paths import UserError\nraise UserError('Do that instead.')",
    "exits": "import os\nos._exit(3)",
    "leaves": "import sys\nsys.exit()",
    "hangs": "import time, os\nfrom helpers.store import files, paths\n"
    "files.save_json(paths.OUT / 'kernel.json', os.getpid())\ntime.sleep(600)",
    "silent": "x = 1",
    "late": "run" + SAVES,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A copy of the helpers with tiny notebooks, executed by the real grid in processes of its own: `house(*runs, **environment)`."""
    root = tmp_path_factory.mktemp("a house with spaces é")
    for folder in ("helpers", "grid"):
        shutil.copytree(
            paths.ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copytree(paths.ROOT / "report" / "style", root / "report" / "style")
    (root / "notebooks").mkdir()
    table = {"profiles": {"smoke": {}, "quick": {}}, "runs": {}}
    for name, code in TINY.items():
        cells = [
            (["parameters"], f'run = "{name}"\nprofile = "lab"\ndataset = "mnist"'),
            ([], "started = True"),
            ([], code),
        ]
        notebook = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
            },
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{number}",
                    "metadata": {"tags": tags},
                    "source": source,
                    "outputs": [],
                    "execution_count": None,
                }
                for number, (tags, source) in enumerate(cells)
            ],
        }
        (root / "notebooks" / f"{name}.ipynb").write_text(json.dumps(notebook))
        table["runs"][name] = {
            "notebook": name,
            "report": "mnist-2019",
            "about": "A test.",
            "parameters": {"dataset": "mnist"},
        }
    (root / "notebooks" / "runs.yaml").write_text(json.dumps(table))  # JSON is YAML
    meta = {
        **{key: "" for key in copies.RECORDED},
        "name": "mnist",
        "title": "MNIST",
        "kind": "official",
        "sha256": "sha",
    }
    files.save_json(root / "data" / "mnist" / "meta.json", meta)

    def start(*names, **environment):
        inherited = {
            name: value for name, value in os.environ.items() if name not in ("OUT", "DATA_DIR")
        }
        return subprocess.Popen(
            [sys.executable, "-m", "grid", "--profile", "smoke", "--runs", ",".join(names)],
            cwd=root,
            text=True,
            env={**inherited, "PYTHONPATH": str(root), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            # a shell may have started the tests in the background, where Ctrl-C is ignored
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def grid_of(*names, **environment):
        process = start(*names, **environment)
        out, err = process.communicate(timeout=300)
        assert "Traceback" not in err + out, err + out
        return process.returncode, out, err

    grid_of.root, grid_of.start = root, start
    grid_of.notebooks = root / "report" / "smoke" / "notebooks"
    return grid_of


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return stat.read().rsplit(")", 1)[1].split()[0] != "Z"


@pytest.mark.fault(
    "Notebook that raises, exits, hangs past its limit, or saves nothing",
    "named with its reason and its partial notebook; the others finish; exit status 1",
)
@pytest.mark.slow
def test_failing_runs_leave_the_others_alone_and_are_named(house):
    status, out, _ = house(
        "good", "raises", "refuses", "exits", "leaves", "hangs", "silent", LIMIT="30"
    )
    assert status == 1
    summary = out[out.rindex("\n\n  ") :] if "\n\n  " in out else out
    assert re.search(r"good +done .* test accuracy 0.5000 \(n = 1\)", summary)
    for run, reason in {
        "raises": "ValueError: much ado",
        "refuses": "Do that instead.",
        "exits": "DeadKernelError",
        "hangs": "stopped after 30 s",
        "leaves": "ended before it saved its record",
        "silent": "ended before it saved its record",
    }.items():
        assert re.search(rf"{run} +FAILED .*{re.escape(reason)}", summary), (run, summary)
        partial = house.notebooks / f"{run}.failed.ipynb"
        assert str(partial) in summary and json.loads(partial.read_text())["cells"]
    assert "1 runs done, 6 failed." in summary
    raised = (house.notebooks / "raises.failed.ipynb").read_text()
    assert "before" in raised and "much ado" in raised, "the partial notebook shows how far it came"
    assert (
        not (house.notebooks / "raises.ipynb").exists()
        and (house.notebooks / "good.ipynb").exists()
    )
    left = [path.name for path in house.notebooks.iterdir() if path.name.startswith(".")]
    assert not left, "no temporary file stays behind"
    kernel = json.loads((house.root / "kernel.json").read_text())
    deadline = time.monotonic() + 20
    while alive(kernel) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not alive(kernel), "the kernel of a run that was stopped goes with it"

    status, out, _ = house("good")
    assert status == 0 and "All 1 runs of profile smoke are up to date" in out, (
        "what was done is not done again"
    )

    notebook = house.root / "notebooks" / "raises.ipynb"
    notebook.write_text(
        notebook.read_text().replace(
            "raise ValueError('much ado')", "pass" + SAVES.replace("\n", "\\n").replace('"', '\\"')
        )
    )
    status, out, _ = house("raises", "good")
    assert status == 0 and "1 of 2 runs to do" in out
    assert not (house.notebooks / "raises.failed.ipynb").exists(), (
        "mended, it is no longer kept as failed"
    )


@pytest.mark.slow
def test_an_interrupted_grid_ends_its_kernels(house):
    (house.root / "kernel.json").unlink(missing_ok=True)
    process = house.start("hangs")
    deadline = time.monotonic() + 60
    while not (house.root / "kernel.json").exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    kernel = json.loads((house.root / "kernel.json").read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "the next `make all` goes on from there" in err, out + err
    deadline = time.monotonic() + 20
    while alive(kernel) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert not alive(kernel)

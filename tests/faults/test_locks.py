"""Two at once: in one folder, and with one data folder."""

import os
import signal
import subprocess
import sys
import time

import pytest

from faults.scene import DONE, Scene, wait_for, write_mirror
from helpers.store import locks, paths
from helpers.store.paths import UserError

WAITS = """
import os, time
from helpers.store import files, paths
files.save_json(paths.OUT / "kernel.json", os.getpid())
while not (paths.OUT / "go").exists():
    time.sleep(0.05)
"""


@pytest.mark.fault(
    "Two `make all` at once in one folder",
    "the second says who is at work and ends with status 2; the first is not disturbed",
)
def test_a_second_grid_is_refused_and_says_who_is_at_work(tmp_path):
    scene = Scene(tmp_path)
    from faults.scene import SAVES

    scene.notebook("waits", WAITS + SAVES)
    first = scene.start("waits", DONE)
    wait_for(lambda: (scene.out / "kernel.json").exists(), 120)
    second = scene.make("all", "PROFILE=smoke", "RUNS=waits")
    out, err = second.communicate(timeout=120)
    assert (
        second.returncode == 2
        and f"Another grid is at work on waits: process {first.pid} on " in err
    ), out + err
    assert (
        sum(line.startswith("Error: ") for line in err.splitlines()) == 1 and "Traceback" not in err
    )
    (scene.out / "go").touch()
    status, out, err = scene.ended(first)
    assert status == 0 and "All 2 runs done." in out, out + err
    assert sorted(scene.executions()) == [DONE, "waits"], "each once"
    scene.assert_whole()
    scene.assert_nobody_left()
    assert not [path for path in scene.notebooks().iterdir() if path.name.startswith(".")], (
        "no lock is left behind"
    )
    status, out, err = scene.call(DONE, "waits")
    assert status == 0 and "up to date" in out


@pytest.mark.fault(
    "Two `make all` at once in one folder",
    "the second says who is at work and ends with status 2; the first is not disturbed",
)
def test_grids_started_together_never_execute_a_run_twice(tmp_path, record_property):
    scene = Scene(tmp_path)
    started = [scene.start(DONE) for _ in range(4)]
    ended = [process.communicate(timeout=240) + (process.returncode,) for process in started]
    assert scene.executions() == [DONE]
    for out, err, status in ended:
        assert status == 0 or status == 2 and "Another grid is at work" in err, out + err
        assert "Traceback" not in out + err
    assert 0 in [status for *_, status in ended]
    scene.assert_whole()
    record_property("tries", 4)


@pytest.mark.fault(
    "One `make all` in each of two clones with one data folder",
    "data are prepared once; the other waits for them, and both end well",
)
def test_two_clones_share_one_data_folder(tmp_path, record_property):
    data = tmp_path / "shared data"
    clones = [Scene(tmp_path / name, data=data) for name in ("clone", "clône 2")]
    started = [clone.start(DONE) for clone in clones]
    for clone, process in zip(clones, started):
        status, out, err = clone.ended(process)
        assert status == 0, out + err
        clone.assert_whole()
    assert not [path for path in data.iterdir() if path.name.startswith(".")]
    record_property("tries", 2)


PREPARE = """
import time
from helpers import datasets
from helpers.datasets import arrays as idx, copies
said, real = [], idx.sha256
datasets.prepare("mnist", say=said.append)
print(" | ".join(said))
datasets.load("mnist")
"""


def prepare(tmp_path, code=PREPARE):
    if not (tmp_path / "mirror").exists():
        write_mirror(tmp_path / "mirror", 3000)
    environment = {
        **os.environ,
        "DATA_DIR": str(tmp_path / "data"),
        "MIRROR": str(tmp_path / "mirror"),
    }
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env=environment,
        cwd=paths.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.fault(
    "One data set prepared by several processes at once", "prepared once, used by all"
)
def test_a_data_set_is_prepared_by_one_and_used_by_all(tmp_path, record_property):
    slow = "idx.sha256 = lambda arrays: time.sleep(0.5) or real(arrays)\ndatasets.prepare("
    slow = PREPARE.replace("datasets.prepare(", slow)
    started = [prepare(tmp_path, slow) for _ in range(4)]
    told = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0] * 4, told
    assert sum("ready:" in out for out, _ in told) == 1, told
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mnist"]
    record_property("tries", 4)


@pytest.mark.fault(
    "`kill -9` of a process that prepares data for others",
    "its lock goes with it; the next prepares them",
)
def test_a_lock_ends_with_its_holder(tmp_path):
    sleeping = "idx.save_npy = lambda *_: time.sleep(600)\ndatasets.prepare("
    stuck = prepare(tmp_path, PREPARE.replace("datasets.prepare(", sleeping))
    wait_for(lambda: list((tmp_path / "data").glob(".mnist.partial")), 60)
    time.sleep(0.3)
    other = prepare(tmp_path)
    time.sleep(3)
    assert other.poll() is None, "it waits"
    stuck.send_signal(signal.SIGKILL)
    stuck.communicate()
    out, err = other.communicate(timeout=60)
    assert (
        other.returncode == 0
        and f"process {stuck.pid} on " in out
        and "waiting" in out
        and "ready:" in out
    ), out + err


def test_a_lock_is_taken_once_by_a_thread_and_leaves_no_file(tmp_path):
    path = tmp_path / "new" / ".lock"

    def refuse(holder):
        raise UserError(holder)

    with locks.held(path, refuse):
        assert path.read_text().startswith(f"process {os.getpid()} on ")
        with locks.held(path, refuse):
            assert path.exists()
        assert path.exists()
    assert not path.exists()


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    def unsupported(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    with locks.held(tmp_path / ".lock", pytest.fail):
        pass
    assert not (tmp_path / ".lock").exists()

"""Killed anywhere, taken up again: nothing finished is done twice, nothing half-done is taken for
finished, nobody stays behind."""

import os
import shutil
import signal
import time

import pytest

from faults.scene import DONE, SAVES, SLOW, Scene, snapshot, wait_for

FAULT = "{} in mid-epoch"
BESIDE = "beside"  # a run that ends at once; with two runs to do, both are forked
HELD = "the next `make all` trains only the unfinished seed; no process, no partial file remains"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A finished run, and a run of two seeds whose first is trained."""
    scene = Scene(tmp_path_factory.mktemp("kills"))
    scene.notebook(BESIDE, SAVES.replace("print(run, file=log)", "pass"))
    status, out, err = scene.call(DONE, SLOW, SEEDS="1")
    assert status == 0, out + err
    return scene


def weights(scene, seed):
    return scene.data / "trained" / "smoke" / SLOW / f"seed-{seed}.weights.npz"


def in_mid_epoch(scene, *beside, make=False):
    """The grid started with a second seed to train, of which some epochs are done. Returns the
    process and what must not change."""
    scene.results(f"{SLOW}.json").unlink(missing_ok=True)
    weights(scene, 1).unlink(missing_ok=True)
    scene.results(f"{BESIDE}.json").unlink(missing_ok=True)
    kept = snapshot(scene.out / "figures" / "smoke" / DONE) | snapshot(weights(scene, 0).parent)
    kept |= {path: value for path, value in snapshot(scene.results()).items() if path.stem == DONE}
    kept = {path: value for path, value in kept.items() if "seed-1" not in path.name}
    process = (
        scene.make("all", "PROFILE=smoke", f"RUNS={DONE},{SLOW}", SEEDS=None, LIMIT="200")
        if make
        else scene.start(DONE, SLOW, *beside)
    )
    wait_for(lambda: "seed 1, epoch" in scene.told(SLOW) and "epoch 1/" not in scene.told(SLOW), 90)
    wait_for(lambda: not any(map(scene.told, beside)), 30)
    return process, kept


def taken_up_again(scene, kept):
    scene.assert_nobody_left()
    scene.assert_whole()
    assert not scene.results(f"{SLOW}.json").exists() and not weights(scene, 1).exists(), (
        "half a training is not taken for a whole one"
    )
    status, out, err = scene.call(DONE, SLOW)
    assert status == 0 and "1 of 2 runs to do" in out, out + err
    assert [seed["seed"] for seed in scene.record(SLOW)["seeds"]] == [0, 1]
    now = snapshot(scene.out / "figures", scene.results(), weights(scene, 0).parent)
    assert {path: now.get(path) for path in kept} == kept, "what was finished is untouched"
    assert scene.executions() == [DONE]
    scene.assert_nobody_left()
    scene.assert_whole()


@pytest.fixture(autouse=True)
def two_seeds(monkeypatch):
    monkeypatch.setenv("SEEDS", "2")


def victims():
    fresh, forked = [], [BESIDE]
    return [
        pytest.param(word, beside, marks=pytest.mark.fault(FAULT.format(name), HELD), id=name)
        for name, word, beside in (
            ("`kill -9` of the worker that executes a notebook", "grid.execution", fresh),
            ("`kill -9` of a notebook's kernel", "ipykernel", fresh),
            ("`kill -9` of a forked worker", "papermill", forked),
            ("`kill -9` of a forked kernel", "kernel", forked),
            ("`kill -9` of the process that they are forked from", "forkserver", forked),
            ("`kill -9` of the grid", "the grid", forked),
        )
    ]


@pytest.mark.parametrize("word, beside", victims())
def test_a_process_killed_in_mid_epoch(scene, word, beside):
    scene_done(scene)
    process, kept = in_mid_epoch(scene, *beside)
    (pid,) = [process.pid] if word == "the grid" else scene.processes(word)[:1]
    os.kill(pid, signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    if word == "the grid":
        assert process.returncode == -9
    else:
        assert process.returncode == 1 and f"{SLOW}: FAILED" in out and "1 failed" in out, out + err
    taken_up_again(scene, kept)


@pytest.mark.fault(FAULT.format("Ctrl-C at `make all`"), HELD)
def test_ctrl_c_at_make(scene):
    scene_done(scene)
    process, kept = in_mid_epoch(scene)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to everyone in the foreground
    out, err = process.communicate(timeout=60)
    assert (
        process.returncode == 130
        and "the next `make all` goes on from there" in err
        and "Traceback" not in err
    ), out + err
    taken_up_again(scene, kept)


@pytest.mark.fault(FAULT.format("Power cut, every process at once"), HELD)
def test_power_cut(scene):
    scene_done(scene)
    process, kept = in_mid_epoch(scene)
    scene.kill_all()
    process.communicate(timeout=60)
    taken_up_again(scene, kept)


@pytest.mark.fault(
    "Pause of every process, longer than Dask waits for a worker",
    "the grid goes on and ends with every run done",
)
def test_a_long_pause(scene, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL", "2s")  # five minutes by default
    scene_done(scene)
    process, _ = in_mid_epoch(scene)
    paused = scene.processes()
    for pid in paused:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(6)
    for pid in paused:
        os.kill(pid, signal.SIGCONT)
    status, out, err = scene.ended(process)
    assert status == 0 and [seed["seed"] for seed in scene.record(SLOW)["seeds"]] == [0, 1], (
        out + err
    )
    scene.assert_nobody_left()
    scene.assert_whole()


@pytest.mark.fault(
    "Power cut just before each rename of a run in turn",
    "the next run finds whole files only and ends with a whole record",
)
def test_power_cut_at_every_write(tmp_path, record_property):
    scene, cuts = Scene(tmp_path), 0
    for cut in range(1, 20):
        (tmp_path / "count").unlink(missing_ok=True)
        process = scene.start(DONE, SCENE_CUT=str(tmp_path / "count"), SCENE_AT=str(cut))
        out, err = process.communicate(timeout=120)
        scene.assert_nobody_left()
        scene.assert_whole()
        if process.returncode == 0:
            break
        assert process.returncode == -9, out + err
        cuts += 1
        if scene.results(f"{DONE}.json").exists() and scene.notebooks(f"{DONE}.ipynb").exists():
            for name in (
                "report",
                "figures",
            ):  # from the start again, or a whole run would be left alone
                shutil.rmtree(scene.out / name / "smoke")
    assert cuts >= 5, "a run renames at least its progress, predictions, record, page and notebook"
    status, out, err = scene.call(DONE)
    assert status == 0 and scene.record(DONE)["run"] == DONE, out + err
    record_property("tries", cuts)


def scene_done(scene):
    """The module's scene with its finished run as the only one that was ever executed."""
    (scene.out / "executions.txt").write_text(f"{DONE}\n")

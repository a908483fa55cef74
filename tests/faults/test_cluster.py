"""A real Dask scheduler and two workers, started by hand on loopback; one is killed in mid-run."""

import os
import signal
import sys

import pytest

from faults.scene import DONE, SLOW, Scene, snapshot, wait_for
from helpers.store import files


@pytest.mark.fault(
    "One of two Dask workers killed in mid-run",
    "the other takes the run up at the seed where it was; what was finished is not done again",
)
def test_a_worker_killed_in_mid_run(tmp_path):
    scene = Scene(tmp_path)
    assert scene.call(SLOW, SEEDS="1")[0] == 0
    scene.results(f"{SLOW}.json").unlink()
    seed = scene.data / "trained" / "smoke" / SLOW / "seed-0.weights.npz"
    dask, address = [sys.executable, "-m", "dask"], tmp_path / "scheduler.json"
    services = [
        scene.start(
            command=[
                *dask,
                "scheduler",
                "--host",
                "127.0.0.1",
                "--port",
                "0",
                "--no-dashboard",
                "--scheduler-file",
                str(address),
            ]
        )
    ]
    try:
        wait_for(lambda: files.load_json(address), 60)
        tcp = files.load_json(address)["address"]
        services += [
            scene.start(
                command=[
                    *dask,
                    "worker",
                    tcp,
                    "--host",
                    "127.0.0.1",
                    "--nthreads",
                    "1",
                    "--no-nanny",
                    "--no-dashboard",
                    "--name",
                    name,
                    "--resources",
                    "cores=1",
                    "--local-directory",
                    str(tmp_path / name),
                ]
            )
            for name in ("one", "two")
        ]
        grid = scene.start(DONE, SLOW, SCHEDULER=tcp, SEEDS="2")
        wait_for(
            lambda: (
                "seed 1, epoch" in scene.told(SLOW)
                and scene.results(f"{DONE}.sha256").exists()
                and scene.notebooks(f"{DONE}.ipynb").exists()
            ),
            150,
        )
        kept = snapshot(scene.out / "figures" / "smoke" / DONE) | {
            path: value
            for path, value in snapshot(scene.results(), seed.parent).items()
            if path.stem == DONE or path == seed
        }
        worker = parent(next(pid for pid in scene.processes("grid.execution")))
        assert worker in [service.pid for service in services[1:]]
        os.kill(worker, signal.SIGKILL)
        status, out, err = scene.ended(grid)
        assert status == 0 and "All 2 runs done." in out and f"Dask cluster at {tcp}: " in out, (
            out + err
        )
        assert [one["seed"] for one in scene.record(SLOW)["seeds"]] == [
            0,
            1,
        ] and scene.executions() == [DONE]
        now = snapshot(scene.out / "figures", scene.results(), seed.parent)
        assert {path: now.get(path) for path in kept} == kept and len(kept) >= 4
        scene.assert_whole()
    finally:
        for service in services:
            service.kill()
            service.communicate()
    scene.assert_nobody_left()


def parent(pid):
    """The id of a process's parent."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as stat:
        return int(stat.read().rsplit(")", 1)[1].split()[1])

"""A disk that is full: one clear line, and what was there before is still there and valid."""

import os
import shutil
import subprocess

import numpy as np
import pytest

from faults.scene import DONE, SLOW, Scene, snapshot, write_mirror
from helpers import datasets
from helpers.datasets import copies
from helpers.store import files, paths
from helpers.store.paths import UserError

CLEAR = "one clear line; what was there before is there and valid, nothing partial remains"


@pytest.fixture
def disk(tmp_path):
    """`disk(mebibytes)` mounts a small file system in memory and returns its folder; skips where
    mounting is not allowed."""
    mounted = []

    def mount(mebibytes):
        folder = tmp_path / f"disk {len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip("a tmpfs cannot be mounted here: run the tests as root")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill(folder, left=0):
    """Fill a disk up to its last `left` bytes."""
    filler = folder / ".filler"
    filler.unlink(missing_ok=True)
    free = shutil.disk_usage(folder).free
    with open(filler, "wb") as file:
        file.write(bytes(max(0, free - left) // 4096 * 4096))


@pytest.mark.fault("Disk full while data are prepared", CLEAR)
def test_preparing_data(disk, tmp_path, monkeypatch, record_property):
    monkeypatch.setattr(paths, "DATA", disk(1) / "data")
    write_mirror(tmp_path / "mirror", 300)
    small = datasets.load("mnist", mirror=str(tmp_path / "mirror")).meta
    whole = snapshot(paths.DATA)
    write_mirror(tmp_path / "mirror", 3000)
    for left in (0, 4096, 400_000):
        fill(paths.DATA.parent, left)
        with pytest.raises(
            UserError,
            match="(Cannot prepare mnist|Cannot write).*No space left on device.*DATA_DIR=DIR",
        ):
            datasets.prepare("mnist", mirror=str(tmp_path / "mirror"), say=lambda line: None)
        assert snapshot(paths.DATA) == whole and copies.meta(paths.DATA / "mnist") == small
    record_property("tries", 3)


@pytest.mark.fault("Disk full while a pair of files or a figure is written", CLEAR)
def test_writing_results_and_figures(disk, record_property):
    folder, rng, tries = disk(1), np.random.default_rng(0), 0
    before = {
        folder / "run.npz": rng.bytes(9000),
        folder / "run.json": b"{}",
        folder / "curves.png": rng.bytes(5000),
    }
    files.save_all(before)
    for left in range(0, 200_000, 16_384):
        fill(folder, left)
        for contents in (
            {folder / "run.npz": rng.bytes(190_000), folder / "run.json": rng.bytes(19_000)},
            {folder / "curves.png": rng.bytes(210_000)},
        ):
            with pytest.raises(
                UserError, match="Cannot write .*No space left on device. Free some space"
            ):
                files.save_all(contents)
            assert {path: path.read_bytes() for path in before} == before and len(
                list(folder.iterdir())
            ) == 4
            tries += 1
    record_property("tries", tries)


@pytest.mark.fault(
    "Disk full while runs are executed", CLEAR + "; the next grid with space makes the rest"
)
def test_executing_runs(disk, tmp_path, record_property):
    scene = Scene(tmp_path / "scene", out=disk(12))
    assert scene.call(DONE)[0] == 0
    kept = snapshot(scene.results(), scene.out / "figures" / "smoke" / DONE)
    for left in (0, 30_000, 150_000):
        fill(scene.out, left)
        status, out, err = scene.call(DONE, SLOW)
        assert status in (1, 2) and ("No space left" in out + err or "FAILED" in out), out + err
        now = snapshot(scene.results(), scene.out / "figures" / "smoke" / DONE)
        assert {path: now.get(path) for path in kept} == kept
        scene.assert_whole()
    (scene.out / ".filler").unlink()
    status, out, err = scene.call(DONE, SLOW)
    assert status == 0 and "1 of 2 runs to do" in out, out + err
    record_property("tries", 3)


@pytest.mark.fault("Disk full while a trained network is kept", CLEAR)
def test_keeping_a_trained_network(disk):
    from helpers import training
    from helpers.store.backend import keras

    folder = disk(1)
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(5000),
            keras.layers.Dense(4),
        ]
    )
    fill(folder, 50_000)
    with pytest.raises(UserError, match="Cannot write .*DATA_DIR=DIR"):
        training._save(model, folder / "mnist-mlp" / "seed-0", {"key": ""})
    assert not list((folder / "mnist-mlp").iterdir())


@pytest.mark.fault("Disk full while the report is written", CLEAR)
def test_writing_the_report(disk, tmp_path, record_property):
    scene = Scene(tmp_path / "scene", out=disk(16))
    assert scene.call(SLOW)[0] == 0 and scene.call(module="report")[0] == 0
    kept = contents(scene.out / "report")
    runs = scene.root / "notebooks" / "runs.yaml"
    runs.write_text(runs.read_text() + "\n# changed\n")  # so that it is written anew
    for left in (0, 100_000):
        fill(scene.out, left)
        status, out, err = scene.call(module="report")
        assert (
            status == 1
            and err.startswith("Error: ")
            and err.count("\n") == 1
            and "No space left" in err
        ), out + err
        assert contents(scene.out / "report") == kept
    os.unlink(scene.out / ".filler")
    assert scene.call(module="report")[0] == 0
    record_property("tries", 2)

"""Other places and people: folders with spaces, a read-only checkout, another user, no HOME, other
languages and time zones, no links."""

import os
import shutil
import subprocess
import sys

import pytest

from faults.scene import DONE, SLOW, Scene, snapshot

WORKS = "works as elsewhere"
NOBODY = 65534


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A scene with a run and its report, in a folder with spaces and accents."""
    scene = Scene(tmp_path_factory.mktemp("où est-ce  que") / "le projet d'été")
    assert scene.call(SLOW)[0] == 0 and scene.call(module="report")[0] == 0
    return scene


def fresh(scene, folder, **changes):
    """Runs and report again from nothing but the trained networks, in another place; the report's
    bytes."""
    shutil.copytree(scene.data, folder / "data", dirs_exist_ok=True)
    for module, runs in (("grid", [SLOW]), ("report", [])):
        status, out, err = scene.call(
            *runs, module=module, OUT=str(folder / "out"), DATA_DIR=str(folder / "data"), **changes
        )
        assert status == 0, out + err
    return [
        (folder / "out" / "report" / "smoke" / name).stat().st_size
        for name in ("report.html", "report.pdf")
    ]


@pytest.mark.fault("Folder with spaces and accents", WORKS)
def test_a_folder_with_spaces_and_accents(scene):
    assert "d'été" in str(scene.root) and (
        scene.out / "report" / "smoke" / "report.pdf"
    ).read_bytes().startswith(b"%PDF")
    scene.assert_whole()
    assert "up to date" in scene.call(SLOW)[1]


@pytest.mark.fault("`LANG=C`", WORKS)
def test_a_plain_language(scene, tmp_path):
    assert all(fresh(scene, tmp_path, LANG="C", LC_ALL="C"))


@pytest.mark.fault("No HOME", WORKS)
def test_no_home(scene, tmp_path):
    assert all(fresh(scene, tmp_path, HOME=None, XDG_CACHE_HOME=None, XDG_CONFIG_HOME=None))


@pytest.mark.fault("File system without symbolic links", WORKS)
def test_no_links(scene, tmp_path):
    assert all(fresh(scene, tmp_path, SCENE_NO_LINKS="1"))


@pytest.mark.fault(
    "Another time zone and another day", "nothing is done again; the report's bytes are the same"
)
def test_another_time_zone(scene, record_property):
    zones = {"TZ": "Pacific/Kiritimati"}, {"TZ": "America/Adak"}
    kept, report = (
        snapshot(scene.results(), scene.notebooks()),
        [
            (scene.out / "report" / "smoke" / name).read_bytes()
            for name in ("report.html", "report.pdf")
        ],
    )
    for changes in zones:
        assert "up to date" in scene.call(SLOW, **changes)[1]
        (scene.out / "report" / "smoke" / ".report.json").unlink()
        assert scene.call(module="report", **changes)[0] == 0
        assert [
            (scene.out / "report" / "smoke" / name).read_bytes()
            for name in ("report.html", "report.pdf")
        ] == report
    now = snapshot(scene.results(), scene.notebooks())
    remade = {path for path in kept if path.suffix == ".html"}  # with the report, to the same bytes
    assert all(now[path] == kept[path] for path in set(kept) - remade)
    assert all(now[path][-1] == kept[path][-1] for path in remade) and now.keys() == kept.keys()
    record_property("tries", 2)


def as_nobody():
    """A prefix that runs a command as a user without name, folder or rights; skips where that
    cannot be."""
    if os.getuid() or not shutil.which("setpriv"):
        pytest.skip("only root can become another user")
    # It may read everything, for this environment may lie where only root looks, and write nothing
    # but its own.
    prefix = [
        "setpriv",
        f"--reuid={NOBODY}",
        f"--regid={NOBODY}",
        "--clear-groups",
        "--inh-caps=+dac_read_search",
        "--ambient-caps=+dac_read_search",
    ]
    started = subprocess.run(
        [
            *prefix,
            sys.executable,
            "-c",
            "import subprocess, sys\n"
            "subprocess.run([sys.executable, '-c', 'import keras'], check=True)",
        ],
        capture_output=True,
        env={**os.environ, "HOME": "/nonexistent"},
    )
    if started.returncode:
        pytest.skip("another user cannot start this environment's Python")
    return prefix


@pytest.mark.fault(
    "Another user than root, on a read-only checkout with output elsewhere",
    WORKS + "; without OUT, one clear line",
)
def test_another_user_on_a_read_only_checkout(tmp_path):
    prefix, scene = as_nobody(), Scene(tmp_path / "checkout")
    for path in [tmp_path, *tmp_path.parents]:  # pytest keeps its folders to their owner
        if path.stat().st_uid == os.getuid() and path.stat().st_mode & 0o077 == 0:
            path.chmod(0o755)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    os.chown(elsewhere, NOBODY, NOBODY)
    changes = {"HOME": "/nonexistent", "prefix": prefix}
    status, out, err = scene.call(DONE, **changes)
    assert (
        status == 2
        and err.startswith("Error: Cannot ")
        and err.count("\n") == 1
        and "OUT=DIR" in err
    ), out + err
    places = {
        "OUT": str(elsewhere / "out"),
        "DATA_DIR": str(elsewhere / "data"),
        "TMPDIR": str(elsewhere),
    }
    status, out, err = scene.call(SLOW, **places, **changes)
    assert status == 0, out + err
    status, out, err = scene.call(module="report", **places, **changes)
    assert status == 0 and (elsewhere / "out" / "report" / "smoke" / "report.pdf").exists(), (
        out + err
    )
    assert "up to date" in scene.call(SLOW, **places, **changes)[1]
    assert not (scene.root / "data").exists() and not (scene.root / "report" / "smoke").exists()

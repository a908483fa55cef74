"""The virtual environment that make sets up: a moved, copied or half-deleted one is made again.

A small program stands for Python and uv, so that nothing is installed."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from helpers.store import paths, startup

PYTHON = r"""#!/bin/sh
echo "python $*" >> "$LOG"
case "$1 $2" in
"--version ") echo Python 3.12.0;;
"-m venv")
  mkdir -p "$3/bin" "$3/lib/python3.12/site-packages"
  case $3 in /*) here=$3;; *) here=$(pwd -P)/$3;; esac
  echo "command = $0 -m venv $here" > "$3/pyvenv.cfg"
  cp "$0" "$3/bin/python";;
"-m pip") cp "$UV" "$(dirname "$0")/uv";;
*from\ importlib*) [ -e "$(dirname "$0")/../lib/python3.12/site-packages/keras/part" ];;
"-m report") echo "PYTHONPATH $PYTHONPATH" >> "$LOG";;
esac
"""
UV = r"""#!/bin/sh
[ "$1" != --version ] || exit 0
case "$*" in *--reinstall*) echo "uv reinstall" >> "$LOG";; *) echo "uv sync" >> "$LOG";; esac
packages=$UV_PROJECT_ENVIRONMENT/lib/python3.12/site-packages
for package in keras numpy; do
  case "$* $(ls "$packages")" in *--reinstall*) ;; *$package*) continue;; esac
  mkdir -p "$packages/$package" && touch "$packages/$package/part"
done
touch "$UV_PROJECT_ENVIRONMENT/bin/jupyter"
"""
VENV, SYNC, AGAIN = "-m venv .venv", "uv sync", "uv reinstall"


class Project:
    """A folder with what sets the environment up, and what `make report` did in it."""

    def __init__(self, folder, tools):
        self.folder, self.tools = folder, tools

    def make(self, **settings):
        """Run `make report`; the lines that Python and uv were called with."""
        log = self.tools / "log"
        log.write_text("")
        arguments = [f"PYTHON={self.tools / 'python'}", *(f"{k}={v}" for k, v in settings.items())]
        environment = {n: v for n, v in os.environ.items() if not n.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(
            ["make", "report", *arguments],
            cwd=self.folder,
            env=environment | {"LOG": str(log), "UV": str(self.tools / "uv"), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return log.read_text()


@pytest.fixture
def project(tmp_path):
    """One whose environment was just set up."""
    tools, folder = tmp_path / "tools", tmp_path / "mon école" / "first"
    tools.mkdir()
    for name, text in (("python", PYTHON), ("uv", UV)):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    folder.mkdir(parents=True)
    for name in ("Makefile", "uv.lock", "pyproject.toml"):
        shutil.copy(paths.ROOT / name, folder)
    shutil.copytree(paths.ROOT / ".ci", folder / ".ci")
    project = Project(folder, tools)
    done = project.make()
    assert VENV in done and SYNC in done and "-m report" in done
    return project


def test_an_environment_that_is_ready_is_left_alone(project):
    done = project.make()
    assert not any(step in done for step in (VENV, SYNC, AGAIN)) and "-m report" in done


@pytest.mark.parametrize("how", ["move", "copy", "move above", "link"])
def test_a_folder_that_was_moved_or_copied_gets_an_environment_of_its_own(project, how):
    place = project.folder.with_name("second")
    if how == "move":
        project.folder.rename(place)
    elif how == "copy":
        shutil.copytree(project.folder, place, symlinks=True)
    elif how == "move above":
        place = project.folder.parent.rename(project.folder.parent.with_name("elsewhere")) / "first"
    else:
        shutil.copytree(project.folder, place, ignore=shutil.ignore_patterns(".venv"))
        (place / ".venv").symlink_to(project.folder / ".venv")
    done = Project(place, project.tools).make()
    assert VENV in done and SYNC in done
    assert str(place) in (place / ".venv/pyvenv.cfg").read_text()
    if how in ("copy", "link"):
        assert SYNC not in project.make(), "the first one's is as it was"
    assert SYNC not in Project(place, project.tools).make()


@pytest.mark.parametrize(
    "lost, steps",
    [
        ("bin/python", (VENV, SYNC)),
        ("bin", (VENV, SYNC)),
        ("bin/uv", (VENV, SYNC)),
        ("pyvenv.cfg", (VENV, SYNC)),
        ("lib", (VENV, SYNC)),
        ("lib/python3.12/site-packages/numpy", (SYNC,)),
        ("bin/jupyter", (SYNC,)),
        (".ready", (SYNC,)),
    ],
)
def test_a_half_deleted_environment_is_made_whole(project, lost, steps):
    path = project.folder / ".venv" / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    if lost == "lib":  # as where the interpreter's own library lies in the environment
        (project.folder / ".venv/bin/python").unlink()
    done = project.make()
    assert [step for step in (VENV, SYNC) if step in done] == list(steps) and "-m report" in done
    assert (project.folder / ".venv/lib/python3.12/site-packages/numpy/part").exists()
    assert SYNC not in project.make()


def test_a_package_that_lost_files_is_installed_again(project):
    packages = project.folder / ".venv/lib/python3.12/site-packages"
    (packages / "keras/part").unlink()
    shutil.rmtree(packages / "numpy")
    assert AGAIN in project.make()
    assert (packages / "keras/part").exists()


def test_another_lock_is_installed_into_the_environment_that_is_there(project):
    with (project.folder / "uv.lock").open("a") as lock:
        lock.write("\n")
    os.utime(project.folder / "uv.lock", (0, 0))  # a lock from an archive may be older
    done = project.make()
    assert SYNC in done and VENV not in done and AGAIN not in done
    assert SYNC in project.make(GPU=1), "whose packages are others"
    assert SYNC not in project.make(GPU=1)


def test_the_projects_own_folder_comes_first_on_the_path(project, monkeypatch):
    assert f"PYTHONPATH {project.folder}\n" in project.make()
    for setting in ("MATPLOTLIBRC", "JUPYTER_PREFER_ENV_PATH"):
        monkeypatch.setenv(setting, "")  # so that it is put back
    for before in ("", str(Path("/elsewhere")), str(paths.ROOT)):
        monkeypatch.setenv("PYTHONPATH", before)
        startup.settle()
        startup.settle()
        path = os.environ["PYTHONPATH"].split(os.pathsep)
        assert path[0] == str(paths.ROOT) and len(path) == len({str(paths.ROOT), before} - {""})

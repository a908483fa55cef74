"""The house itself: what stands where, the lock's addresses, who imports whom, and nothing of the machine it was built on."""

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest

from helpers.store import paths

ROOT = paths.ROOT


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked():
    """Files under version control, without pictures and other data; skips where this is no checkout."""
    listed = (
        subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z"],
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if (ROOT / ".git").exists()
        else None
    )
    if listed is None or listed.returncode:
        pytest.skip("not a git checkout")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


# --- the lock and the lists of dependencies -------------------------------------------------------------------------------


def test_lock_names_the_public_index_only():
    addresses = set(re.findall(r"https?://([^/\"\s]+)", text("uv.lock")))
    assert addresses == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in text("uv.lock")


def test_every_locked_package_carries_hashes():
    packages = tomllib.loads(text("uv.lock"))["package"]
    assert len(packages) > 50
    for package in packages:
        if "registry" not in package["source"]:
            assert (
                package["source"] == {"editable": "."} and package["name"] == "keras-course-reports"
            )
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(
            re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files
        ), package["name"]


def requirement(line):
    return re.match(r"[A-Za-z0-9._-]+", line)[0].lower()


def test_lock_holds_every_dependency_that_is_asked_for():
    project = tomllib.loads(text("pyproject.toml"))
    asked = [requirement(line) for line in project["project"]["dependencies"]]
    asked += [
        requirement(line) for group in project["dependency-groups"].values() for line in group
    ]
    locked = {package["name"] for package in tomllib.loads(text("uv.lock"))["package"]}
    assert set(asked) <= locked and len(asked) == len(set(asked))
    assert "scikit-learn" not in asked and "scikit-learn" not in locked, (
        "Keras imports it where it is there, which takes a second in every kernel"
    )


def test_conda_users_get_the_same_one_list():
    import yaml

    wanted = yaml.safe_load(text("environment.yml"))["dependencies"]
    assert {"pip": ["-e ."]} in wanted
    plain = [entry for entry in wanted if isinstance(entry, str)]
    assert {re.split("[=<> ]", entry)[0] for entry in plain} <= {"python", "pip", "make", "git"}
    assert not list(ROOT.glob("requirements*.txt")) and not (ROOT / "setup.py").exists()


def test_supported_pythons_are_stated():
    assert tomllib.loads(text("pyproject.toml"))["project"]["requires-python"] == ">=3.11,<3.14"


# --- the tree -------------------------------------------------------------------------------------------------------------


def test_top_of_the_tree_is_as_described():
    top = {name.split("/")[0] for name in tracked()}
    assert {
        "Makefile",
        "environment.yml",
        "pyproject.toml",
        "uv.lock",
        "notebooks",
        "helpers",
        "grid",
        "report",
        "tests",
        ".gitignore",
    } <= top
    allowed = {
        "README.md",
        "LICENSE",
        "CITATION.cff",
        "Makefile",
        "environment.yml",
        "pyproject.toml",
        "uv.lock",
        "notebooks",
        "helpers",
        "grid",
        "benchmarks",
        "data",
        "figures",
        "report",
        "tests",
        ".ci",
        ".github",
        ".gitignore",
        ".gitattributes",
        ".dockerignore",
        "Dockerfile",
    }
    assert top <= allowed, top - allowed


def test_nothing_built_is_committed_but_the_full_edition():
    for name in tracked():
        assert not re.match(
            r"(report|figures)/(smoke|quick|lab)/|\.venv/|report/full/notebooks/", name
        ), name
        assert not name.startswith("data/") or name in (
            "data/README.md",
            "data/.gitignore",
            "data/.gitkeep",
        ), name
        assert "__pycache__" not in name and not name.endswith((".pyc", ".h5", ".keras")), name


def test_readme_shows_every_notebook_and_folder():
    if "make all" not in text("README.md"):
        pytest.skip("the README is not written yet")
    for path in [*ROOT.glob("notebooks/*.ipynb")]:
        assert path.stem in text("README.md"), path.stem
    for name in (
        "notebooks/",
        "helpers/",
        "data/",
        "figures/",
        "report/",
        "tests/",
        "make all",
        "make test",
    ):
        assert name in text("README.md"), name


def test_make_alone_prints_help():
    told = subprocess.run(
        ["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True
    )
    assert told.returncode == 0 and not told.stderr
    for target in ("all", "report", "lab", "test", "clean"):
        assert re.search(rf"^make {target} +\w", told.stdout, re.M), target


def test_every_setting_of_the_makefile_reaches_the_programs():
    from grid import runner as grid

    settings = (
        "MIRROR",
        "DATA",
        "SCHEDULER",
        "FORCE",
        "OUT",
        "DATA_DIR",
        "SEEDS",
        "LIMIT",
        "KERAS_BACKEND",
    )
    show = "show:\n\t@env\n"
    clean = {name: value for name, value in os.environ.items() if name not in settings}

    def environment(*given):
        told = subprocess.run(
            ["make", "--no-print-directory", "-f", "Makefile", "--eval", show, "show", *given],
            cwd=ROOT,
            env=clean,
            capture_output=True,
            text=True,
        )
        return dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)

    plain, given = environment(), environment(*(f"{name}=given" for name in settings))
    assert not [name for name in settings if name in plain], "an unset setting stays unset"
    assert all(given[name] == "given" for name in settings)
    assert environment("GPU=1")["KERAS_BACKEND"] == "jax"
    assert {"MIRROR", "DATA", "KERAS_BACKEND"} <= set(
        grid.PASSED_ON
    )  # OUT and DATA_DIR go along as the folders they mean


def test_clean_keeps_what_was_committed_and_downloaded():
    recipe = re.search(r"^clean:.*\n((?:\t.*\n)+)", text("Makefile"), re.M)[1]
    removed = re.findall(r"rm -rf ([^\n;]*)", recipe)
    words = {word for line in removed for word in line.split()}
    assert (
        not {"data", "data/", ".venv", "report", "report/full", "figures", "figures/full", "."}
        & words
    )


# --- traces of a machine --------------------------------------------------------------------------------------------------


def test_tracked_files_name_no_machine_paths():
    own = "tests/test_house.py"  # names them to look for them
    traces = re.compile(r"/work/|/home/\w|/root/|/Users/\w|C:\\Users|/tmp/(?!\w*\.\.\.)")
    for name in tracked():
        path = ROOT / name
        if (
            name == own
            or path.suffix in (".png", ".npz", ".pdf", ".woff2")
            or path.stat().st_size > 20_000_000
        ):
            continue
        found = traces.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found[0]}"


# --- who imports whom -----------------------------------------------------------------------------------------------------

FOLDERS = ("helpers", "grid", "report")


def imported(path, top_only=False):
    """Dotted names of what a module of this project imports from this project, also inside functions unless top_only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        assert not (isinstance(node, ast.ImportFrom) and node.level), (
            f"{path.name}: relative import"
        )
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in FOLDERS:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.split(".")[0] in FOLDERS}
    return found


def chapters():
    """The modules of helpers in the order in which its first page lists them."""
    return re.findall(
        r"^    (\w+) ", ast.get_docstring(ast.parse(text("helpers/__init__.py")), clean=False), re.M
    )


def modules(folder):
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(
    "folder, above", [("helpers", {"grid", "report"}), ("grid", {"report"}), ("report", {"grid"})]
)
def test_three_houses_import_downwards_only(folder, above):
    for path in modules(folder):
        assert not {name for name in imported(path) if name.split(".")[0] in above}, path


def test_a_module_of_helpers_imports_those_that_stand_before_it():
    listed = chapters()
    held = {
        path.stem
        for path in (ROOT / "helpers").iterdir()
        if path.suffix == ".py" and path.stem != "__init__" or (path / "__init__.py").exists()
    }
    assert set(listed) == held and len(listed) == len(held)
    for path in modules("helpers"):
        chapter = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
        if chapter != "__init__":
            used = {
                name.split(".")[1]
                for name in imported(path)
                if name.startswith("helpers.") and name.split(".")[1] in listed
            } - {chapter}
            later = {name for name in used if listed.index(name) > listed.index(chapter)}
            assert not later, f"{path.relative_to(ROOT)} uses {later}, which stand after it"


HEAVY = {
    "keras",
    "tensorflow",
    "pandas",
    "matplotlib",
    "dask",
    "distributed",
    "papermill",
    "scipy",
    "numba",
    "tensorflow_datasets",
    "jax",
    "torch",
    "rich",
}


@pytest.mark.parametrize(
    "module",
    [
        "helpers.store.paths",
        "helpers.store.files",
        "helpers.datasets",
        "helpers.runs",
        "helpers.results",
        "grid.execution",
        "grid.runner",
        "report.build",
    ],
)
def test_the_path_with_nothing_to_do_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == []


def test_package_itself_is_empty():
    assert [type(node) for node in ast.parse(text("helpers/__init__.py")).body] == [ast.Expr]


# --- style that a reader relies on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [path for folder in FOLDERS for path in modules(folder)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_module_is_documented_and_of_a_size_to_read(path):
    module = path.stem
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says what it is for"
    limit = 260 if module == "models" else 220  # sixteen networks
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit
    for node in tree.body:
        if (
            isinstance(node, (ast.FunctionDef, ast.ClassDef))
            and not node.name.startswith("_")
            and node.name not in ("main",)
        ):
            telling = (
                path.parent.name == "standins" or len(node.body) <= 2
            )  # a sandal draws a sandal
            assert ast.get_docstring(node) or telling, f"{module}.{node.name} has no docstring"


def test_arrays_are_never_unpickled_and_nothing_is_evaluated():
    for module in [path for folder in FOLDERS for path in modules(folder)]:
        code = module.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in (
                    "eval",
                    "exec",
                    "pickle.load",
                    "pickle.loads",
                    "os.system",
                    "yaml.unsafe_load",
                ), f"{module}: {name}"
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert options.get("shell") in (None, "False") and options.get("allow_pickle") in (
                    None,
                    "False",
                ), f"{module}: {ast.unparse(node)}"
                assert name != "yaml.load" or "Safe" in code, module


def test_servers_listen_on_loopback():
    assert "ip=127.0.0.1" in text("Makefile") or "jupyter" not in text("Makefile")
    assert "0.0.0.0" not in text("grid/progress.py") and "127.0.0.1" in text("grid/progress.py")

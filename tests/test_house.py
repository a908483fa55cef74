"""The house itself: what stands where, the lock's addresses, who imports whom, and nothing of the machine it was built on."""

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest

from helpers import paths

ROOT = paths.ROOT


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked():
    """Files under version control, without pictures and other data; skips where this is no checkout."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True) if (ROOT / ".git").exists() else None
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
            assert package["source"] == {"editable": "."} and package["name"] == "keras-course-reports"
            continue
        assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        assert files and all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files), package["name"]


def requirement(line):
    return re.match(r"[A-Za-z0-9._-]+", line)[0].lower()


def test_lock_holds_every_dependency_that_is_asked_for():
    project = tomllib.loads(text("pyproject.toml"))
    asked = [requirement(line) for line in project["project"]["dependencies"]]
    asked += [requirement(line) for group in project["dependency-groups"].values() for line in group]
    locked = {package["name"] for package in tomllib.loads(text("uv.lock"))["package"]}
    assert set(asked) <= locked and len(asked) == len(set(asked))
    assert "scikit-learn" not in asked and "scikit-learn" not in locked, "Keras imports it where it is there, which takes a second in every kernel"


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
    assert {"Makefile", "environment.yml", "pyproject.toml", "uv.lock", "notebooks", "helpers", "report", "tests", ".gitignore"} <= top
    allowed = {"README.md", "LICENSE", "CITATION.cff", "Makefile", "environment.yml", "pyproject.toml", "uv.lock", "notebooks", "helpers", "benchmarks", "data", "figures",
               "report", "tests", ".ci", ".github", ".gitignore", ".gitattributes", ".dockerignore", "Dockerfile"}
    assert top <= allowed, top - allowed


def test_nothing_built_is_committed_but_the_full_edition():
    for name in tracked():
        assert not re.match(r"(report|figures)/(smoke|quick|lab)/|\.venv/|report/full/notebooks/", name), name
        assert not name.startswith("data/") or name in ("data/README.md", "data/.gitignore", "data/.gitkeep"), name
        assert "__pycache__" not in name and not name.endswith((".pyc", ".h5", ".keras")), name


def test_readme_shows_every_notebook_and_folder():
    if "make all" not in text("README.md"):
        pytest.skip("the README is not written yet")
    for path in [*ROOT.glob("notebooks/*.ipynb")]:
        assert path.stem in text("README.md"), path.stem
    for name in ("notebooks/", "helpers/", "data/", "figures/", "report/", "tests/", "make all", "make test"):
        assert name in text("README.md"), name


def test_make_alone_prints_help():
    told = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0 and not told.stderr
    for target in ("all", "report", "lab", "test", "clean"):
        assert re.search(rf"^make {target} +\w", told.stdout, re.M), target


def test_every_setting_of_the_makefile_reaches_the_programs():
    from helpers import grid

    settings = ("MIRROR", "DATA", "SCHEDULER", "FORCE", "OUT", "DATA_DIR", "SEEDS", "LIMIT", "KERAS_BACKEND")
    show = "show:\n\t@env\n"
    clean = {name: value for name, value in os.environ.items() if name not in settings}

    def environment(*given):
        told = subprocess.run(["make", "--no-print-directory", "-f", "Makefile", "--eval", show, "show", *given], cwd=ROOT, env=clean, capture_output=True, text=True)
        return dict(line.split("=", 1) for line in told.stdout.splitlines() if "=" in line)

    plain, given = environment(), environment(*(f"{name}=given" for name in settings))
    assert not [name for name in settings if name in plain], "an unset setting stays unset"
    assert all(given[name] == "given" for name in settings)
    assert environment("GPU=1")["KERAS_BACKEND"] == "jax"
    assert {"MIRROR", "DATA", "KERAS_BACKEND"} <= set(grid.PASSED_ON)  # OUT and DATA_DIR go along as the folders they mean


def test_clean_keeps_what_was_committed_and_downloaded():
    recipe = re.search(r"^clean:.*\n((?:\t.*\n)+)", text("Makefile"), re.M)[1]
    removed = re.findall(r"rm -rf ([^\n;]*)", recipe)
    words = {word for line in removed for word in line.split()}
    assert not {"data", "data/", ".venv", "report", "report/full", "figures", "figures/full", "."} & words


# --- traces of a machine --------------------------------------------------------------------------------------------------


def test_tracked_files_name_no_machine_paths():
    own = "tests/test_house.py"  # names them to look for them
    traces = re.compile(r"/work/|/home/\w|/root/|/Users/\w|C:\\Users|/tmp/(?!\w*\.\.\.)")
    for name in tracked():
        path = ROOT / name
        if name == own or path.suffix in (".png", ".npz", ".pdf", ".woff2") or path.stat().st_size > 20_000_000:
            continue
        found = traces.search(path.read_text(encoding="utf-8", errors="replace"))
        assert not found, f"{name}: {found[0]}"


# --- who imports whom -----------------------------------------------------------------------------------------------------

# The floors of the house: a module may use, directly or through others, what stands on its own floor or below. A module that is not named
# here stands wherever it is needed.
FLOORS = [{"paths"}, {"files", "backend"}, {"runs", "datasets", "models", "augmentation", "inspection"}, {"batches"}, {"training"},
          {"evaluation", "explain", "search"}, {"results"}, {"figures", "tables", "report", "execution"}, {"grid", "progress"}]


def floor(module):
    """The number of a module's floor; None where it has none."""
    return next((number for number, names in enumerate(FLOORS) if module in names), None)


def imports(path, top_only=False):
    """Modules of this package that a module imports, also inside functions unless top_only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in tree.body if top_only else ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "helpers":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("helpers."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("helpers.")}
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"{path.name}: relative import"
    return found


MODULES = sorted(path.stem for path in (ROOT / "helpers").iterdir() if path.suffix == ".py" and path.stem != "__init__" or (path / "__init__.py").exists())


def module_imports(module, **options):
    """What a module uses; of a package, what any of its files uses, itself left out."""
    single = ROOT / "helpers" / f"{module}.py"
    files = [single] if single.exists() else sorted((ROOT / "helpers" / module).glob("*.py"))
    return set.union(*(imports(path, **options) for path in files)) - {module}


def reached(module):
    """Every module that a module uses, through whichever others."""
    found, open_ones = set(), [module]
    while open_ones:
        new = module_imports(open_ones.pop()) - found
        found |= new
        open_ones += new
    return found


@pytest.mark.parametrize("module", sorted(set.union(*FLOORS)))
def test_module_imports_downwards_only(module):
    above = {other for other in reached(module) if floor(other) is not None and floor(other) > floor(module)}
    assert not above, f"{module} uses {above}"


def test_no_two_modules_import_each_other():
    graph = {module: module_imports(module, top_only=True) for module in MODULES}
    done = set()

    def visit(module, path):
        assert module not in path, f"a circle: {' -> '.join([*path, module])}"
        if module not in done:
            for other in graph[module]:
                visit(other, [*path, module])
            done.add(module)

    for module in graph:
        visit(module, [])


HEAVY = {"keras", "tensorflow", "pandas", "matplotlib", "dask", "distributed", "papermill", "scipy", "numba", "tensorflow_datasets", "jax", "torch", "rich"}


@pytest.mark.parametrize("module", ["paths", "files", "datasets", "runs", "results", "execution", "grid", "report"])
def test_the_path_with_nothing_to_do_loads_nothing_heavy(module):
    code = f"import sys, helpers.{module}; print(*sorted({HEAVY!r} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_package_itself_is_empty():
    assert [type(node) for node in ast.parse(text("helpers/__init__.py")).body] == [ast.Expr]


# --- style that a reader relies on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted((ROOT / "helpers").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT / "helpers")))
def test_module_is_documented_and_of_a_size_to_read(path):
    module = path.stem
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says what it is for"
    limit = 260 if module == "models" else 220  # sixteen networks
    assert len(path.read_text(encoding="utf-8").splitlines()) <= limit
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_") and node.name not in ("main",):
            telling = path.parent.name == "standins" or len(node.body) <= 2  # a sandal draws a sandal
            assert ast.get_docstring(node) or telling, f"{module}.{node.name} has no docstring"


def test_arrays_are_never_unpickled_and_nothing_is_evaluated():
    for module in sorted((ROOT / "helpers").rglob("*.py")):
        code = module.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                assert name not in ("eval", "exec", "pickle.load", "pickle.loads", "os.system", "yaml.unsafe_load"), f"{module}: {name}"
                options = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
                assert options.get("shell") in (None, "False") and options.get("allow_pickle") in (None, "False"), f"{module}: {ast.unparse(node)}"
                assert name != "yaml.load" or "Safe" in code, module


def test_servers_listen_on_loopback():
    assert "ip=127.0.0.1" in text("Makefile") or "jupyter" not in text("Makefile")
    assert "0.0.0.0" not in text("helpers/progress.py") and "127.0.0.1" in text("helpers/progress.py")

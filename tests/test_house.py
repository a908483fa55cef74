"""The house itself: what stands where, how large it is, who imports whom, what the lock names.

And nothing of the machine it was built on.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from helpers.store import paths

ROOT = paths.ROOT
FOLDERS = ("helpers", "grid", "report")


def modules(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def tracked():
    """Files under version control; skips where this is no checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    command = ["git", "-c", "safe.directory=*", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [name for name in listed.split("\0") if name and (ROOT / name).exists()]


# --- the lock and the lists of dependencies -------------------------------------------------------


def test_lock_names_the_public_index_only():
    addresses = set(re.findall(r"https?://([^/\"\s]+)", text("uv.lock")))
    assert addresses == {"pypi.org", "files.pythonhosted.org"}
    assert "file://" not in text("uv.lock")


def test_every_locked_package_carries_hashes():
    packages = tomllib.loads(text("uv.lock"))["package"]
    ours = [package for package in packages if "registry" not in package["source"]]
    assert [package["source"] for package in ours] == [{"editable": "."}]
    for package in packages:
        if package not in ours:
            assert package["source"] == {"registry": "https://pypi.org/simple"}, package["name"]
            files = package.get("wheels", []) + [package[k] for k in ("sdist",) if k in package]
            hashes = [file["hash"] for file in files]
            assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)


def requirement(line):
    return re.match(r"[A-Za-z0-9._-]+", line)[0].lower()


def test_lock_holds_every_dependency_that_is_asked_for():
    project = tomllib.loads(text("pyproject.toml"))
    groups = [project["project"]["dependencies"], *project["dependency-groups"].values()]
    asked = [requirement(line) for group in groups for line in group]
    locked = {package["name"] for package in tomllib.loads(text("uv.lock"))["package"]}
    assert set(asked) <= locked and len(asked) == len(set(asked))
    # Keras imports it where it is there, which takes a second in every kernel
    assert "scikit-learn" not in locked


def test_conda_users_get_the_same_one_list():
    import yaml

    wanted = yaml.safe_load(text("environment.yml"))["dependencies"]
    assert {"pip": ["-e ."]} in wanted
    plain = [entry for entry in wanted if isinstance(entry, str)]
    assert {re.split("[=<> ]", entry)[0] for entry in plain} <= {"python", "pip", "make", "git"}
    assert not list(ROOT.glob("requirements*.txt")) and not (ROOT / "setup.py").exists()


def test_supported_pythons_are_stated():
    assert tomllib.loads(text("pyproject.toml"))["project"]["requires-python"] == ">=3.11,<3.14"


# --- the tree -------------------------------------------------------------------------------------


TOP = """README.md CHANGELOG.md CONTRIBUTING.md LICENSE CITATION.cff Makefile environment.yml
TEACHING.md pyproject.toml uv.lock notebooks helpers grid report benchmarks data figures tests
.ci .github .gitignore .pre-commit-config.yaml"""


def test_top_of_the_tree_is_as_described():
    assert {name.split("/")[0] for name in tracked()} == set(TOP.split())


def test_nothing_built_is_committed_but_the_full_edition():
    built = re.compile(
        r"(report|figures)/(smoke|quick|lab)/|\.venv/|report/full/notebooks/"
        r"|data/(?!README\.md$|\.gitignore$|\.gitkeep$)|.*__pycache__|.*\.(pyc|h5)$"
        r"|(?!report/full/models/[\w-]+\.keras$).*\.keras$"
    )
    assert [name for name in tracked() if built.match(name)] == []


def test_of_the_figures_those_that_the_full_report_shows_are_committed_and_no_others():
    shown = re.findall(r'<figure id="fig-([^"]+)"', text("report/full/report.html"))
    files = [Path(name) for name in tracked() if name.startswith("figures/full/")]
    kept = [f"{path.parent.name}-{path.stem}" for path in files if path.suffix != ".json"]
    kept = [name.removeprefix("all-") for name in kept]
    assert sorted(kept) == sorted(shown), "git add --force what is missing, git rm the others"
    assert {path.parent for path in files} == {p.parent for p in files if p.suffix != ".json"}


def readme_tree():
    """Paths of the files that the README's tree shows, a line each."""
    shown, folders = set(), []
    block = re.search(r"## The tree\n+```\n(.*?)```", text("README.md"), re.S)[1]
    for indent, name in re.findall(r"^( *)([\w.-]+/?)(?: |$)", block, re.M):
        folders[len(indent) // 2 :] = [name]
        if not name.endswith("/"):
            shown.add("".join(folders))
    return shown


def test_readme_has_a_line_for_every_module_and_every_notebook():
    there = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("notebooks/*.ipynb")}
    for folder in FOLDERS:
        there |= {path.relative_to(ROOT).as_posix() for path in modules(folder)}
    there = {path for path in there if not re.search(r"/__\w+__\.py$", path)}
    shown = {path for path in readme_tree() if path.endswith((".py", ".ipynb"))}
    assert shown - {"report/report.ipynb", "report/own.ipynb"} == there


def test_readme_names_the_commands():
    for command in ("make all", "make test", "python -m grid", "python -m report"):
        assert command in text("README.md"), command


def make(*arguments, **environment):
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **environment)


def test_the_report_is_published_as_it_was_committed_and_nothing_is_built():
    import yaml

    flow = yaml.safe_load(text(".github/workflows/pages.yml"))
    push = flow[True]["push"]  # YAML reads the key `on` as true
    assert push == {"branches": ["main"], "paths": ["report/full/**"]}
    (job,) = flow["jobs"].values()
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", action) for action in used)
    (commands,) = [step["run"].splitlines() for step in job["steps"] if "run" in step]
    copied = [line.split()[1:] for line in commands if line != "mkdir site"]
    assert dict(copied) == {
        "report/full/report.html": "site/index.html",
        "report/full/report.pdf": "site/report.pdf",
    }, "copies alone"
    assert {source for source, _ in copied} <= set(tracked())
    assert set(flow["permissions"].items()) == {
        *(("contents", "read"), ("pages", "write"), ("id-token", "write"))
    }


def test_a_teacher_is_sent_to_what_there_is():
    page = text("TEACHING.md")
    lines = page.splitlines()
    assert len(lines) <= 90 and max(map(len, lines)) <= 100
    notebooks = {path.stem for path in ROOT.glob("notebooks/*.ipynb")}
    assert set(re.findall(r"`(\d\d_\w+)`", page)) == notebooks, "each has its lesson"
    report = re.sub(r"<[^>]*>|\s+", " ", text("report/full/report.html"))
    for shown in re.findall(r"Show (.*?)(?:\.|, and ask)", page, re.S):
        for section in re.findall(r"\*(.*?)\*", shown, re.S):
            assert " ".join(section.split()) in " ".join(report.split()), section


def test_make_alone_prints_help():
    done = make()
    assert done.returncode == 0 and not done.stderr
    for target in ("all", "report", "lab", "test", "clean"):
        assert re.search(rf"^make {target} +\w", done.stdout, re.M), target


SETTINGS = "MIRROR DATA SCHEDULER FORCE OUT DATA_DIR SEEDS LIMIT KERAS_BACKEND RUNS_FILE".split()
SETTINGS.append("NOTEBOOK")


def test_every_setting_of_the_makefile_reaches_the_programs():
    from grid.progress import PASSED_ON

    clean = {name: value for name, value in os.environ.items() if name not in SETTINGS}

    def environment(*given):
        shown = make("-f", "Makefile", "--eval", "show:\n\t@env\n", "show", *given, env=clean)
        return dict(line.split("=", 1) for line in shown.stdout.splitlines() if "=" in line)

    unset, given = environment(), environment(*(f"{name}=given" for name in SETTINGS))
    assert not [name for name in SETTINGS if name in unset], "an unset setting stays unset"
    assert all(given[name] == "given" for name in SETTINGS)
    assert environment("GPU=1")["KERAS_BACKEND"] == "jax"
    # OUT and DATA_DIR go along as the folders they mean
    assert {"MIRROR", "DATA", "KERAS_BACKEND"} <= set(PASSED_ON)


def test_clean_keeps_what_was_committed_and_downloaded():
    recipe = re.search(r"^clean:.*\n((?:\t.*\n)+)", text("Makefile"), re.M)[1]
    removed = set(" ".join(re.findall(r"rm -rf ([^\n;]*)", recipe)).split())
    assert not removed & {"data", "data/", ".venv", "report", "report/full", "."}
    assert not removed & {"figures", "figures/full"}


def test_tests_that_make_test_leaves_out_are_those_of_make_test_faults():
    recipes = text("Makefile")
    named = re.search(r"^test-faults:.*\n\t(.*)", recipes, re.M)[1].split()
    assert "-m 'not fault'" in re.search(r"^test:.*\n\t(.*)", recipes, re.M)[1]
    for name in tracked():
        if name.endswith(".py") and re.search(r"^@pytest\.mark\.fault\(", text(name), re.M):
            folder = str(Path(name).parent)
            assert name in named or folder in named, name


# --- traces of a machine --------------------------------------------------------------------------


def test_tracked_files_name_no_machine_paths():
    traces = re.compile(r"/work/|/home/\w|/root/|/Users/\w|C:\\Users|/tmp/(?!\w*\.\.\.)")
    for name in tracked():
        if name != "tests/test_house.py" and not name.endswith(
            (".png", ".npz", ".pdf", ".woff2", ".keras")
        ):
            trace = traces.search((ROOT / name).read_text(encoding="utf-8", errors="replace"))
            assert not trace, f"{name}: {trace[0]}"


# --- who imports whom -----------------------------------------------------------------------------


def imported(path):
    """Dotted names of what a module imports from this project, also inside its functions."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] in FOLDERS}


@pytest.mark.parametrize(
    "folder, others",
    [("helpers", {"grid", "report"}), ("grid", {"report"}), ("report", {"grid"})],
)
def test_houses_import_downwards_only(folder, others):
    for path in modules(folder):
        assert not {name for name in imported(path) if name.split(".")[0] in others}, path


def chapters():
    """The modules of helpers in the order in which its first page lists them."""
    return re.findall(
        r"^(\w+) {2,}", ast.get_docstring(ast.parse(text("helpers/__init__.py"))), re.M
    )


def test_helpers_lists_its_modules_and_they_are_few():
    inside = [path for path in (ROOT / "helpers").iterdir() if not path.name.startswith("__")]
    assert sorted(chapters()) == sorted(path.stem for path in inside)
    assert len(inside) <= 18


def test_a_module_of_helpers_imports_those_that_stand_before_it():
    order = {name: place for place, name in enumerate(chapters())}
    for path in modules("helpers"):
        chapter = path.relative_to(ROOT / "helpers").parts[0].removesuffix(".py")
        for name in imported(path) if chapter in order else ():
            used = name.split(".")[1]
            # helpers.keras is not a module: it is what store.backend imports
            assert order.get(used, 0) <= order[chapter], (
                f"{path} imports {used}, which stands after it"
            )


def test_asking_for_keras_is_what_imports_it():
    code = (
        "import sys, helpers; assert 'keras' not in sys.modules; from helpers import keras, models"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
    body = ast.parse(text("helpers/__init__.py")).body
    assert [type(node) for node in body] == [ast.Expr, ast.FunctionDef], "and nothing else"


HEAVY = "keras tensorflow tensorflow_datasets jax torch pandas matplotlib seaborn scipy numba dask "
HEAVY += "distributed papermill rich"


@pytest.mark.parametrize(
    "module",
    [
        "helpers.store.paths",
        "helpers.store.files",
        "helpers.datasets",
        "helpers.runs",
        "helpers.results",
        "grid.execution",
        "grid.__main__",
        "report.build",
    ],
)
def test_the_path_with_nothing_to_do_loads_nothing_heavy(module):
    code = f"import sys, {module}; print(*sorted({set(HEAVY.split())!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.split() == []


# --- size and style -------------------------------------------------------------------------------

SIZED = [path for folder in FOLDERS for path in modules(folder)]
sized = pytest.mark.parametrize("path", SIZED, ids=lambda path: str(path.relative_to(ROOT)))


@sized
def test_module_is_of_a_size_to_read(path):
    if path.name != "models.py":  # every network stands there
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 220
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = node.end_lineno - node.lineno + 1
            assert length <= 40, f"{node.name} has {length} lines"


@sized
def test_module_and_public_functions_are_documented(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module says what it is for"
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            plain = path.parent.name == "standins" or len(node.body) <= 2  # a sandal draws a sandal
            assert ast.get_docstring(node) or plain or node.name == "main", node.name


def test_no_two_functions_are_called_table_or_reading():
    nodes = [node for path in SIZED for node in ast.parse(path.read_text(encoding="utf-8")).body]
    names = [node.name for node in nodes if isinstance(node, ast.FunctionDef)]
    assert names.count("table") <= 1 and names.count("reading") <= 1


@pytest.mark.parametrize("command", ["format --check", "check"])
def test_ruff_is_content(command):
    ruff = [sys.executable, "-m", "ruff", *command.split(), "--no-cache", "."]
    done = subprocess.run(ruff, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


def test_commits_are_held_to_the_same():
    import yaml

    hooks = yaml.safe_load(text(".pre-commit-config.yaml"))["repos"][0]["hooks"]
    entries = " ".join(hook["entry"] for hook in hooks)
    for command in ("ruff check", "ruff format", "nbconvert", "--clear-output"):
        assert command in entries, command
    assert all(hook["language"] == "system" for hook in hooks), "the lock's versions, no others"


def calls_of(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


UNSAFE = {"eval", "exec", "pickle.load", "pickle.loads", "os.system", "yaml.unsafe_load"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_arrays_are_never_unpickled_and_nothing_is_evaluated(folder):
    for path in modules(folder):
        for call in calls_of(path):
            name = ast.unparse(call.func)
            options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
            guards = (
                path == ROOT / "report/words.py" and name == "eval"
            )  # report.ipynb is executed anyway
            assert guards or name not in UNSAFE, f"{path}: {name}"
            assert name != "yaml.load" or "Safe" in path.read_text(encoding="utf-8"), path
            for option in ("shell", "allow_pickle"):
                assert options.get(option) in (None, "False"), f"{path}: {ast.unparse(call)}"


def test_servers_listen_on_loopback():
    assert "ip=127.0.0.1" in text("Makefile") or "jupyter" not in text("Makefile")
    assert "0.0.0.0" not in text("grid/progress.py") and "127.0.0.1" in text("grid/progress.py")

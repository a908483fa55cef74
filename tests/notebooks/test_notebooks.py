"""The notebooks as files: parameters typed, told and used; what counts apart from what shows.

Nothing is printed in them, and the record is saved last.
"""

import ast
import io
import json
import keyword
import re
import symtable
import tokenize

import pytest

from helpers import runs
from helpers.store import paths

NOTEBOOKS = sorted(path.stem for path in paths.NOTEBOOKS.glob("*.ipynb"))
AUDIT = "06_data_audit"
TRY = "12_try_it"  # trains nothing and leaves no record: it is no run
TAGS = {"parameters", "setup", "figure"}
notebooks = pytest.mark.parametrize("name", NOTEBOOKS)
of_runs = pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name != TRY])


def content(name):
    return json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))


def cells(name, kind="code"):
    return [cell for cell in content(name)["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return set(cell["metadata"].get("tags", []))


def parameters(name):
    found = [cell for cell in cells(name) if "parameters" in tags(cell)]
    assert len(found) == 1, "one cell is tagged `parameters`"
    return source(found[0])


def test_every_notebook_of_a_run_is_there_and_every_notebook_has_a_run():
    assert {runs.entry(run)["notebook"] for run in runs.select()} == set(NOTEBOOKS) - {TRY}
    assert all(re.fullmatch(r"\d\d_\w+", name) for name in NOTEBOOKS)
    assert len({name[:2] for name in NOTEBOOKS}) == len(NOTEBOOKS), "each has a number of its own"


@notebooks
def test_outputs_are_stripped(name):
    for cell in cells(name):
        assert cell["outputs"] == [] and cell["execution_count"] is None, source(cell)
        assert set(cell["metadata"]) <= {"tags", "jupyter"}, cell["metadata"]
    assert not any("attachments" in cell for cell in cells(name, "markdown"))


@notebooks
def test_notebook_is_valid_and_names_the_plain_python_kernel(name):
    import nbformat

    nbformat.validate(
        nbformat.reads(
            (paths.NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"), as_version=4
        )
    )
    assert content(name)["metadata"]["kernelspec"]["name"] == "python3"
    assert set(content(name)["metadata"]) <= {"kernelspec", "language_info"}


@notebooks
def test_parameters_are_flat_typed_literals_with_a_comment_each(name):
    text = parameters(name)
    for statement in ast.parse(text).body:
        assert isinstance(statement, ast.Assign), ast.unparse(statement)
        (target,) = statement.targets
        assert isinstance(target, ast.Name)
        assert type(ast.literal_eval(statement.value)) in (str, int, float, bool)
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    comments = [token for token in tokens if token.type == tokenize.COMMENT]
    assert {token.start[0] for token in comments} == set(range(1, 2 + text.count("\n")))
    assert all(len(token.string) > 3 for token in comments)


@notebooks
def test_every_parameter_is_used_in_a_later_cell_that_counts(name):
    after = False
    used = set()
    for cell in cells(name):
        after = after or "parameters" in tags(cell)
        if after and "parameters" not in tags(cell):
            used |= {
                node.id
                for node in ast.walk(ast.parse(source(cell)))
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
            }
    assert set(runs.notebook_parameters(name)) <= used


@notebooks
def test_no_parameter_is_given_another_value_later(name):
    given = set()
    for cell in cells(name):
        if "parameters" not in tags(cell):
            given |= {
                node.id
                for node in ast.walk(ast.parse(source(cell)))
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            }
    assert not given & set(runs.notebook_parameters(name))


@of_runs
def test_defaults_are_a_run_of_this_notebook_kept_apart_from_the_reports(name):
    defaults = runs.notebook_parameters(name)
    assert runs.entry(defaults["run"])["notebook"] == name
    assert defaults["profile"] == "lab" and "lab" not in runs.profiles()
    own = dict(runs.entry(defaults["run"])["parameters"])
    opened, compared = defaults.get("networks", "").split(), own.pop("networks", "").split()
    assert compared[: len(opened)] == opened, "a study may open with the first of its networks"
    assert {key: defaults[key] for key in own} == own, (
        "opened in JupyterLab it is that run, at a smaller size"
    )
    assert defaults.get("first_seed", 0) == 0 and defaults.get("seeds", 1) in (1, 5), "quick to try"


def imports(code):
    return [n for n in ast.walk(ast.parse(code)) if isinstance(n, (ast.Import, ast.ImportFrom))]


@notebooks
def test_one_set_up_cell_imports_helpers_and_nothing_is_imported_elsewhere(name):
    (setup,) = [cell for cell in cells(name) if "setup" in tags(cell)]
    assert len(imports(source(setup))) == len(ast.parse(source(setup)).body), "imports only"
    assert setup["metadata"]["jupyter"] == {"source_hidden": True}
    for node in imports(source(setup)):
        assert ast.unparse(node) == "import numpy as np" or (
            node.module in ("helpers", "helpers.search")
        )
    for cell in cells(name):
        assert cell == setup or not imports(source(cell)), source(cell)


@notebooks
def test_a_figure_cell_is_one_call_of_show(name):
    from helpers import show

    for cell in cells(name):
        if "figure" in tags(cell) and "= trained[0].model" not in source(cell):
            call = ast.parse(source(cell)).body[-1].value
            assert call.func.value.id == "show" and hasattr(show, call.func.attr), source(cell)
            assert source(cell).count("show.") == 1


@of_runs
def test_the_trained_network_is_at_hand_after_training_and_the_text_says_so(name):
    texts = [source(cell) for cell in content(name)["cells"]]
    place = texts.index("model = trained[0].model")
    assert tags(content(name)["cells"][place]) == {"figure"}, "no part of what counts"
    assert any(re.match("trained(, .*)? = ", line) for line in "\n".join(texts[:place]).split("\n"))
    assert "`model.predict" in texts[place - 1]


@notebooks
def test_what_fit_stands_for_is_told_in_plain_keras(name):
    if any("training.fit(" in source(cell) for cell in cells(name)):
        text = "\n".join(source(cell) for cell in cells(name, "markdown"))
        (code,) = re.findall(r"```python\n(model\.fit\(.*?)```", text, re.S)
        keywords = {keyword.arg for keyword in ast.parse(code).body[0].value.keywords}
        assert {"batch_size", "epochs", "validation_data"} <= keywords
        assert "`training.compile_options()`" in text
        assert "`results.record(globals(), ...)`" in text


@notebooks
def test_tags_are_known_and_one_a_cell(name):
    assert all(tags(cell) <= TAGS and len(tags(cell)) <= 1 for cell in cells(name))


@notebooks
def test_code_that_counts_never_uses_what_a_figure_cell_made(name):
    """A cell tagged `figure` is outside the fingerprint: what it defines must not reach results."""
    made, needed = set(), set()
    for cell in cells(name):
        stored, read = top_level(source(cell))
        if "figure" in tags(cell):
            made |= stored
        elif "parameters" not in tags(cell):
            needed |= read - stored
    assert not made & needed


def top_level(code):
    """Names that a cell leaves behind, and names that it takes from elsewhere."""
    table = symtable.symtable(code, "cell", "exec")
    stored, read, scopes = (
        {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned()},
        set(),
        [table],
    )
    while scopes:
        scope = scopes.pop()
        scopes += scope.get_children()
        read |= {
            symbol.get_name()
            for symbol in scope.get_symbols()
            if symbol.is_referenced() and (scope is table or symbol.is_global())
        }
    return stored, read


@of_runs
def test_last_cell_saves_the_record_and_the_test_set_is_used_after_training(name):
    last = cells(name)[-1]
    assert source(last).startswith("results.save(record, predictions") and not tags(last)
    assert content(name)["cells"][-1]["cell_type"] == "code"
    if (
        name == AUDIT
    ):  # it looks at the test images from the start and never judges a network by them
        assert not any("evaluation.evaluate" in source(cell) for cell in cells(name))
        return
    plain = [source(cell) for cell in cells(name) if not tags(cell)]
    judged = [number for number, text in enumerate(plain) if "evaluation.evaluate" in text]
    trained = [
        number
        for number, text in enumerate(plain)
        if "training.fit" in text or "search.run" in text
    ]
    assert trained and judged and max(trained) < min(judged), "evaluated once everything is trained"
    assert all("x_test" not in text and "y_test" not in text for text in plain[: min(judged)])


@notebooks
def test_prose_stands_before_the_code_it_explains(name):
    kinds = [cell["cell_type"] for cell in content(name)["cells"]]
    assert kinds[0] == "markdown" and source(content(name)["cells"][0]).startswith("# ")
    longest = max(len(run) for run in re.findall("c+", "".join(kind[0] for kind in kinds)))
    assert longest <= 5, f"{longest} code cells in a row without a word between them"
    assert all(source(cell).strip() for cell in content(name)["cells"])


@notebooks
def test_notebook_asks_a_question_and_ends_with_exercises_and_answers(name):
    text = "\n".join(source(cell) for cell in cells(name, "markdown"))
    assert "**Question.**" in text and "**Expect**" in text and "\n## Summary" in "\n" + text
    assert 2 <= text.count("<details>") == text.count("</details>") <= 3
    assert set(re.findall(r"<(/?[a-z]+)", text)) <= {"details", "/details", "summary", "/summary"}
    assert not re.search(r"https?://(?!doi\.org|arxiv\.org|github\.com|www\.)", text)
    assert not re.search(r"@(fig|tbl|sec)-", text), "only the report resolves these"


@notebooks
def test_notebook_names_runs_and_notebooks_that_exist(name):
    text = "\n".join(source(cell) for cell in cells(name, "markdown"))
    assert set(re.findall(r"`(0\d_\w+)`", text)) <= set(NOTEBOOKS)
    named = set(re.findall(r"`((?:mnist|fashion|emnist|k49|fingers)-[\w-]+)`", text))
    assert named <= set(runs.select())


@notebooks
def test_lines_of_code_are_short_and_cells_are_small(name):
    for cell in cells(name):
        lines = source(cell).splitlines()
        assert all(len(line) <= 100 and line == line.rstrip() for line in lines), source(cell)
        statements = [n for n in ast.walk(ast.parse(source(cell))) if isinstance(n, ast.stmt)]
        assert len(statements) <= 18 and not source(cell).endswith("\n"), source(cell)


@notebooks
def test_no_name_shadows_a_keyword_or_a_builtin_that_is_used(name):
    import builtins

    stored = {
        node.id
        for cell in cells(name)
        for node in ast.walk(ast.parse(source(cell)))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    assert not stored & (set(dir(builtins)) | set(keyword.kwlist))

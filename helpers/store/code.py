"""Code read as data: a notebook's cells, a module's functions. `runs` and `show` call it."""

import ast
import json
from functools import cache

from helpers.store import paths
from helpers.store.paths import UserError


@cache
def cells(notebook):
    """Number (from 1, text counts too), tags and source of each code cell of a notebook.

    UserError where the file cannot be read.
    """
    path = paths.NOTEBOOKS / f"{notebook}.ipynb"
    try:
        return [
            (number, cell["metadata"].get("tags", []), "".join(cell["source"]))
            for number, cell in enumerate(json.loads(path.read_bytes())["cells"], 1)
            if cell["cell_type"] == "code"
        ]
    except FileNotFoundError as error:
        there = ", ".join(sorted(file.stem for file in paths.NOTEBOOKS.glob("[!.]*.ipynb")))
        raise UserError(f"There is no notebook {notebook}, there are {there}.") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"Cannot read notebook {path}: {error}.") from error


def parsed(notebook, number, source):
    """The syntax tree of a cell; where it is not plain Python, as IPython would run it."""
    try:
        return ast.parse(source)
    except SyntaxError:
        from IPython.core.inputtransformer2 import TransformerManager
    try:
        return ast.parse(TransformerManager().transform_cell(source))
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise UserError(
            f"Notebook {notebook}, cell {number} is not Python: {error.msg}, in the line {line!r}."
        ) from error


@cache
def result_cells(notebook):
    """Syntax trees, as `tree` gives them, of the cells that results follow from: how a thing looks
    and what is imported do not count, and parameters count by their values."""
    return [
        tree(parsed(notebook, number, source))
        for number, tags, source in cells(notebook)
        if not {"figure", "parameters", "setup"} & set(tags)
    ]


@cache
def notebook_parameters(notebook):
    """Name and default of every parameter, in order: the assignments of the cell so tagged.

    UserError where no cell is tagged, or a line is more than a name and a literal.
    """
    found, tagged = {}, [cell for cell in cells(notebook) if "parameters" in cell[1]]
    if not tagged:
        raise UserError(f"Notebook {notebook} has no cell with the tag `parameters`: add the tag.")
    for number, _, source in tagged:
        for node in parsed(notebook, number, source).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else node
            target = node.target if isinstance(node, ast.AnnAssign) else target
            try:
                found[target.id] = ast.literal_eval(node.value)
            except (ValueError, AttributeError, TypeError) as error:
                raise UserError(
                    f"Notebook {notebook}, cell {number}, line {node.lineno}: a parameter is "
                    f"NAME = a number, a text, True or False, not {ast.unparse(node)!r}."
                ) from error
    return found


@cache
def functions(module):
    """The functions of a module of helpers, a dict from name to syntax tree."""
    return {n.name: n for n in _module(module).body if isinstance(n, ast.FunctionDef)}


@cache
def constant(module, name):
    """A literal constant of a module of helpers, without importing it (and Keras with it)."""
    return next(
        ast.literal_eval(node.value)
        for node in _module(module).body
        if isinstance(node, ast.Assign) and node.targets[0].id == name
    )


@cache
def _module(module):
    return ast.parse((paths.ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))


@cache
def used_functions(module, name):
    """Syntax trees, as `tree` gives them, of a function and of those of its module that it uses."""
    known, wanted, found = functions(module), [name], {}
    while wanted:
        node = known[wanted.pop()]
        found[node.name] = tree(node)
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
        wanted += [other for other in names if other in known and other not in found]
    return found


def tree(node):
    """A syntax tree as nested lists, the same for every Python version.

    No positions, no comments, no docstrings, no empty fields.
    """
    if isinstance(node, list):
        return [tree(item) for item in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {
        name: value
        for name, value in ast.iter_fields(node)
        if name not in ("ctx", "kind", "type_comment") and value not in (None, [])
    }
    documented = isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module))
    if documented and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = fields["body"][1:]
    return [type(node).__name__, *([name, tree(value)] for name, value in sorted(fields.items()))]

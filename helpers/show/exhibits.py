"""What a notebook shows: tables, figures, prose and source code.

Each object has an HTML form for JupyterLab and a Markdown form, from which nbconvert and pandoc make the report. Text
that comes from data or records is escaped, so that it stays text in both: `plain` does it for words woven into prose.
"""

import html
import math
import re
import struct
from pathlib import Path

from helpers.show.markup import fence, line, plain, rendered
from helpers.store import paths

PNG = b"\x89PNG\r\n\x1a\n"
TALLEST = 1.15  # the largest height of a figure, in text widths: it leaves room for the caption on an A4 page


def _label(label, kind):  # a label of the right kind, or UserError
    if not re.fullmatch(kind + r"-[a-z0-9-]+", label):
        raise paths.UserError(
            f"The label {label!r} does not read {kind}-NAME, in small letters, digits and hyphens."
        )
    return label


class _Exhibit:
    """What has the two forms, and a third for a terminal."""

    def __repr__(self):
        return f"{type(self).__name__} {self.label}: {self.caption}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {
            "text/markdown": self._markdown(),
            "text/html": self._html(),
            "text/plain": repr(self),
        }


class Prose(_Exhibit):
    """Markdown text, in which numbers from records may stand. It may hold @fig-x, @tbl-x, @sec-x and [@citation]."""

    def __init__(self, markdown):
        self.markdown = markdown

    def __repr__(self):
        return self.markdown

    def _markdown(self):
        return self.markdown

    def _html(self):
        return rendered(self.markdown)


class Table(_Exhibit):
    """A pandas DataFrame, shown without its index, under a numbered caption.

    `caption` and `note` (below the table) are Markdown. A cell is plain text, whatever stands in it, unless it is a
    `Prose`. Numbers of a float column get the same decimals, four digits in the largest. `align` has one of l, c, r for
    each column; without it columns of numbers stand right. `label` is "tbl-NAME".
    """

    def __init__(self, frame, caption, label, align=None, note=None):
        self.label, self.caption, self.note = (
            _label(label, "tbl"),
            line(caption),
            note and line(note),
        )
        self.head = [str(name) for name in frame.columns]
        columns = [_texts(frame.iloc[:, k].tolist()) for k in range(len(self.head))]
        self.rows = list(zip(*columns))
        self.align = align or "".join("r" if _numeric(column) else "l" for column in columns)
        if len(self.align) != len(self.head) or set(self.align) - set("lcr"):
            raise paths.UserError(
                f"{label}: align {align!r} needs one of l, c, r for each of {len(columns)} columns."
            )

    def _markdown(self):
        # pandoc gives the columns of a table that must wrap widths in proportion to their dashes
        widths = [
            min(45, max(len(str(row[k])) for row in [self.head, *self.rows]))
            for k in range(len(self.head))
        ]
        rule = [
            {"l": ":{}-", "c": ":{}:", "r": "-{}:"}[a].format("-" * max(1, w))
            for a, w in zip(self.align, widths)
        ]
        head = [_markdown(name) for name in self.head]
        body = [[_markdown(cell) for cell in row] for row in self.rows]
        lines = ["| " + " | ".join(row) + " |" for row in [head, rule, *body]]
        note = f"\n::: note\n{self.note}\n:::\n" if self.note else ""
        return "\n".join(
            [f"::: {{#{self.label} .exhibit}}", *lines, "", f": {self.caption}", note, ":::\n"]
        )

    def _html(self):
        side = {"l": "left", "c": "center", "r": "right"}

        def shown(cell):
            return (
                rendered(cell.markdown, inline=True)
                if isinstance(cell, Prose)
                else html.escape(cell)
            )

        def row(tag, cells):
            parts = [
                f'<{tag} style="text-align: {side[a]}">{shown(c)}</{tag}>'
                for a, c in zip(self.align, cells)
            ]
            return "<tr>" + "".join(parts) + "</tr>"

        body = "".join(row("td", cells) for cells in self.rows)
        note = f"<p><small>{rendered(self.note, inline=True)}</small></p>" if self.note else ""
        caption = (
            f'<caption style="text-align: left">{rendered(self.caption, inline=True)}</caption>'
        )
        return f"<table>{caption}<thead>{row('th', self.head)}</thead><tbody>{body}</tbody></table>{note}"


class Figure(_Exhibit):
    """A PNG file over a numbered caption (Markdown).

    `path` is absolute or below paths.OUT, `label` is "fig-NAME", `width` a percentage of the text's width; a tall
    figure is made narrower so that it fits a page. `alt` (by default the caption) is what a reader who cannot see the
    figure is told. Raises UserError for a missing or damaged file.
    """

    def __init__(self, path, caption, label, width="100%", alt=None):
        self.label, self.caption = _label(label, "fig"), line(caption)
        self.path = paths.OUT / path
        try:
            self.content = self.path.read_bytes()
        except OSError as error:
            raise paths.UserError(
                f"The figure {path} is not there: run its notebook again."
            ) from error
        if self.content[:8] != PNG or len(self.content) < 24:
            raise paths.UserError(
                f"The figure {path} is no PNG file: delete it and run its notebook again."
            )
        across, down = struct.unpack(">II", self.content[16:24])
        self.width = f"{min(float(width.rstrip('%')), 100 * TALLEST * across / down):.4g}%"
        self.alt = " ".join((alt or re.sub(r"[*_`$]|\[@[^]]*\]", "", self.caption)).split())

    def _markdown(self):
        path = self.path.resolve()
        place = (
            path.relative_to(paths.OUT).as_posix()
            if path.is_relative_to(paths.OUT)
            else path.as_posix()
        )
        place = re.sub("[<>%]", lambda sign: f"%{ord(sign[0]):02X}", place)
        image = f'![](<{place}>){{width={self.width} alt="{plain(self.alt)}"}}'
        return f"::: {{#{self.label} .exhibit}}\n{image}\n\n{self.caption}\n:::\n"

    def _html(self):
        import base64

        address = f"data:image/png;base64,{base64.b64encode(self.content).decode()}"
        image = f'<img src="{address}" style="width: {self.width}" alt="{html.escape(self.alt)}">'
        return f"<figure>{image}<figcaption>{rendered(self.caption, inline=True)}</figcaption></figure>"


class Source(_Exhibit):
    """The code of a function, highlighted. Named as "helpers.models:carlosnet" it is read without an import."""

    def __init__(self, function):
        self.code = _source(function).rstrip()

    def __repr__(self):
        return self.code

    def _markdown(self):
        return fence(self.code, "python")

    def _html(self):
        from pygments import highlight
        from pygments.formatters import HtmlFormatter
        from pygments.lexers import PythonLexer

        return highlight(self.code, PythonLexer(), HtmlFormatter(noclasses=True, nobackground=True))


def _helpers(function):
    """The private functions of its module that a function calls, save the one that every network ends in."""
    import inspect

    names = getattr(function, "__code__", None) and function.__code__.co_names or ()
    found = [
        getattr(inspect.getmodule(function), name, None)
        for name in names
        if name.startswith("_") and name != "_network"
    ]
    return [one for one in found if inspect.isfunction(one)]


def _source(function):
    import ast
    import inspect
    import textwrap

    if not isinstance(function, str):
        return "\n\n".join(
            textwrap.dedent(inspect.getsource(one)).rstrip() + "\n"
            for one in [function, *_helpers(function)]
        )
    module, _, name = function.partition(":")
    code = (paths.ROOT / Path(*module.split("."))).with_suffix(".py").read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return textwrap.dedent(ast.get_source_segment(code, node, padded=True))
    raise paths.UserError(f"There is no function {name} in {module} to show.")


def _texts(values):
    """A column's cells as text (a Prose stays one): thousands apart, floats with equal decimals, a dash for nothing."""
    import pandas

    floats = [abs(value) for value in values if isinstance(value, float) and math.isfinite(value)]
    decimals = max(0, 4 - (len(str(int(max(floats)))) if floats and max(floats) > 1 else 0))

    def text(value):
        if value is None or pandas.isna(value) is True:
            return "–"
        if isinstance(value, float):
            return f"{value:,.{decimals}f}".replace("-", "−")
        if isinstance(value, int) and not isinstance(value, bool):
            return f"{value:,}"
        return value if isinstance(value, Prose) else str(value)

    return [text(value) for value in values]


def _numeric(column):
    """Whether each cell is a number, perhaps with a deviation, a unit or a sign, and one of them is not missing."""
    number = re.compile(r"[-−+±~<≤]? ?[.\d][\d.,]*( ?[%×s]| ?±.*| ?\(.*)?")
    numbers = [number.fullmatch(str(cell)) for cell in column if cell != "–"]
    return bool(numbers) and all(numbers)


def _markdown(cell):
    return line(cell.markdown).replace("|", r"\|") if isinstance(cell, Prose) else plain(cell)

"""What notebooks and the report show: tables, figures, prose and source code.

Each has a Markdown form, from which nbconvert and pandoc make the report; tables and figures have
an HTML form for JupyterLab besides. Text that comes from data or records is escaped, so that it
stays text in both: `plain` does it for words woven into prose.
"""

import base64
import hashlib
import html
import math
import re
import struct

from helpers.store import paths

PNG = b"\x89PNG\r\n\x1a\n"
SVG = re.compile(rb'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"')  # ours, by Matplotlib
TALLEST = 1.15  # the largest height of a figure, in text widths: it leaves room for the caption
NUMBER = re.compile(r"–|[-−+±~<≤]? ?[.\d][\d.,]*( ?[%×s]| ?±.*| ?\(.*)?")


def plain(value):
    """Markdown that shows `value` as the text it is: all that could mean more is escaped."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def slug(name):
    """A name in small letters, digits and hyphens; where that loses something, with a hash."""
    short = "-".join(re.findall("[a-z0-9]+", name.lower()))
    lost = "" if short == name else hashlib.sha256(name.encode()).hexdigest()[:6]
    return "-".join(filter(None, (short, lost)))


def line(markdown):
    """Markdown as one line that starts no list, heading, table or block."""
    return re.sub(r"^(?=[#:|>+~=-])", r"\\", " ".join(str(markdown).split()))


def fence(text, kind):
    """A Markdown code block of a class; its fence is longer than any run of backticks inside."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks}{kind}\n{text}\n{ticks}\n"


def rendered(markdown):
    """Markdown as HTML for JupyterLab. HTML inside it is escaped; formulas are JupyterLab's."""
    import mistune

    return mistune.create_markdown(escape=True, plugins=["table"])(markdown).strip()


class Prose:
    """Markdown, in which numbers from records may stand: @fig-x, @tbl-x, @sec-x, [@citation]."""

    def __init__(self, markdown):
        self.markdown = markdown

    def __repr__(self):
        return self.markdown

    def _repr_markdown_(self):
        return self.markdown


class _Captioned:
    def __init__(self, label, kind, caption):
        if not re.fullmatch(kind + r"-[a-z0-9-]+", label):
            form = f"{kind}-NAME, in small letters, digits and hyphens"
            raise paths.UserError(f"The label {label!r} does not read {form}.")
        self.label, self.caption = label, line(caption)

    def __repr__(self):
        return f"{type(self).__name__} {self.label}: {self.caption}"

    def _repr_mimebundle_(self, include=None, exclude=None):
        forms = {"text/markdown": self._markdown(), "text/html": self._html()}
        return {**forms, "text/plain": repr(self)}


class Table(_Captioned):
    """A pandas DataFrame, shown without its index, under a numbered caption.

    `caption` and `note` (below the table) are Markdown. A cell is plain text, whatever stands in
    it, unless it is a `Prose`. Numbers of a float column get the same decimals, four digits in the
    largest. `align` has one of l, c, r for each column; without it columns of numbers stand right.
    A frame without rows shows nothing. `label` is "tbl-NAME". UserError for a label or an `align`
    of another form.
    """

    def __init__(self, frame, caption, label, align=None, note=None):
        super().__init__(label, "tbl", caption)
        self.note, self.head = line(note or ""), [str(name) for name in frame.columns]
        columns = [_texts(frame.iloc[:, place].tolist()) for place in range(len(self.head))]
        self.rows = list(zip(*columns))
        given = align if len(frame) else None  # a frame made of no rows has no columns
        self.align = given or "".join("r" if _numeric(column) else "l" for column in columns)
        if not re.fullmatch(f"[lcr]{{{len(columns)}}}", self.align):
            message = f"{label}: align {align!r} needs one of l, c, r for each of"
            raise paths.UserError(f"{message} {len(columns)} columns.")

    def _grid(self):
        # pandoc gives the columns of a table that must wrap widths in proportion to their dashes
        sizes = [max(map(len, map(str, column))) for column in zip(self.head, *self.rows)]
        rules = {"l": ":{}-", "c": ":{}:", "r": "-{}:"}
        rule = [rules[a].format("-" * min(45, max(1, n))) for a, n in zip(self.align, sizes)]
        rows = [[_cell(cell) for cell in row] for row in [self.head, *self.rows]]
        return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], rule, *rows[1:]])

    def _markdown(self):
        if not self.rows:
            return ""
        note = f"\n::: note\n{self.note}\n:::\n" if self.note else ""
        return f"::: {{#{self.label} .exhibit}}\n{self._grid()}\n\n: {self.caption}\n{note}\n:::\n"

    def _html(self):
        texts = (self.caption, self._grid(), self.note) if self.rows else ()
        return "".join(map(rendered, texts))


def size(content):
    """Width and height of a PNG file or an SVG file of Matplotlib's; None for anything else."""
    if content[:8] == PNG and len(content) >= 24:
        return struct.unpack(">II", content[16:24])
    written = SVG.match(content)
    return written and tuple(map(float, written.groups()))


class Figure(_Captioned):
    """A PNG or SVG file over a numbered caption (Markdown), which also stands for it where it is
    not seen.

    `path` is absolute or below paths.OUT, `label` is "fig-NAME", `width` a percentage of the text's
    width; a tall figure is made narrower so that it fits a page. Raises UserError for a label of
    another form and for a missing or damaged file.
    """

    def __init__(self, path, caption, label, width="100%"):
        super().__init__(label, "fig", caption)
        self.path = paths.OUT / path
        self.content = self.path.read_bytes() if self.path.is_file() else b""
        if not size(self.content):
            message = "is missing or neither PNG nor SVG: run its notebook again."
            raise paths.UserError(f"The figure {path} {message}")
        across, down = size(self.content)
        self.width = f"{min(float(width.rstrip('%')), 100 * TALLEST * across / down):.4g}%"
        self.alt = re.sub(r"[*_`$]|\[@[^]]*\]", "", self.caption)

    def _markdown(self):
        path, out = self.path.resolve(), paths.OUT
        place = (path.relative_to(out) if path.is_relative_to(out) else path).as_posix()
        place = re.sub("[<>%]", lambda sign: f"%{ord(sign[0]):02X}", place)
        image = f'![](<{place}>){{width={self.width} alt="{plain(self.alt)}"}}'
        return f"::: {{#{self.label} .exhibit}}\n{image}\n\n{self.caption}\n:::\n"

    def _html(self):
        kind = "png" if self.content[:8] == PNG else "svg+xml"
        address = f"data:image/{kind};base64,{base64.b64encode(self.content).decode()}"
        image = f'<img src="{address}" style="width: {self.width}" alt="{html.escape(self.alt)}">'
        return f"<figure>{image}<figcaption>{rendered(self.caption)}</figcaption></figure>"


def source(function):
    """The code of a function with that of the private functions of its module that it calls.

    The one that every network of helpers.models ends in is left out.
    """
    import inspect

    module = vars(inspect.getmodule(function))
    private = [module.get(name) for name in function.__code__.co_names if name.startswith("_")]
    shown = [f for f in private if inspect.isfunction(f) and f.__name__ != "_network"]
    code = "\n\n".join(inspect.getsource(f) for f in [function, *shown])
    return Prose(fence(code.rstrip(), "python"))


def _texts(values):
    """A column's cells as text (a Prose stays one): thousands apart, floats with equal decimals."""
    import pandas

    floats = [abs(value) for value in values if isinstance(value, float) and math.isfinite(value)]
    decimals = max(0, 4 - (len(str(int(max(floats)))) if floats and max(floats) > 1 else 0))
    forms, texts = {float: f",.{decimals}f", int: ","}, []
    for value in values:
        form = forms.get(float if isinstance(value, float) else type(value))
        number = form and format(value, form).replace("-", "−")
        missing = value is None or pandas.isna(value) is True
        text = value if isinstance(value, Prose) else number or str(value)
        texts.append("–" if missing else text)
    return texts


def _numeric(column):
    return bool({*column} - {"–"}) and all(NUMBER.fullmatch(str(cell)) for cell in column)


def _cell(cell):
    return line(cell.markdown).replace("|", r"\|") if isinstance(cell, Prose) else plain(cell)

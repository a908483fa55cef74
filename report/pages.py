"""From notebooks to Markdown: papermill executes report.ipynb, nbconvert converts, for build.py."""

import base64
import hashlib
import io
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

from helpers.show.exhibits import PNG, fence, plain
from helpers.store import kernels, paths, startup

SHOWN = ["text/markdown", "image/png", "text/plain"]  # of an output's forms, the first there is
IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^<>\s]+?)>?(?:\s[^)]*)?\)|<img\b[^>]*>", re.IGNORECASE)


def execute(notebook, parameters):
    """A notebook run with parameters, in memory. Raises UserError where a cell fails."""
    startup.without_grammars()
    import papermill

    try:
        with startup.plain_ipython(), kernels.forked_if_sound():
            return papermill.execute_notebook(
                paths.literal(notebook),
                None,
                parameters,
                kernel_name="python3",
                language="python",
                cwd=str(paths.ROOT),
                progress_bar=False,
                log_output=False,
                extra_arguments=["--log-level=50"],  # the kernel's remarks stay out
            )
    except papermill.PapermillExecutionError as error:
        said = error.evalue if error.ename == "UserError" else f"{error.ename}: {error.evalue}"
        where = f"{Path(notebook).name} fails in cell [{error.exec_count}]"
        raise paths.UserError(f"{where}: {one_line(said)}") from error


def markdown(notebook, folder, code=False):
    """Markdown of an executed notebook (an nbformat node); images of its outputs go to `folder`.

    Without `code` (the report) inputs are hidden, sections in which nothing is shown are left out,
    and an error or a line on stderr raises UserError. With it (the page of a run) inputs are kept
    and errors are shown."""
    from nbconvert.exporters import MarkdownExporter
    from traitlets.config import Config

    figures = Path(folder) / "figures"  # relative, for a path with a colon pandoc cuts up
    try:
        figures.symlink_to(paths.OUT / "figures")
    except OSError:  # a file system without links
        shutil.copytree(paths.OUT / "figures", figures)
    for cell in notebook.cells:
        _embed(cell, Path(folder))
    if not code:
        notebook.cells = _without_empty(notebook.cells)
    refuse = _fenced if code else _refuse
    exporter = MarkdownExporter(
        config=Config({"NbConvertBase": {"display_data_priority": SHOWN}}),
        template_name="pandoc",
        extra_template_basedirs=[str(paths.REPORT_SOURCE / "style")],
        exclude_input=not code,
        filters={"fenced": _fenced, "folding": _folding, "prose": _prose, "refuse": refuse},
    )
    text, resources = exporter.from_notebook_node(notebook)
    for name, content in resources["outputs"].items():
        (Path(folder) / name).write_bytes(content)
    return text


def _without_empty(cells):
    """Cells without the headings and texts below which there is code, none of which shows a thing.

    A text reaches to the next one, a heading to the next of its level. A text whose guard says that
    it is true stays, with the headings above it."""
    kept, left_out = [], 0
    for place, cell in enumerate(cells):
        level = _level(cell)
        ends = (n for n, other in enumerate(cells) if n > place and _level(other) <= level)
        below = cells[place + 1 : next(ends, len(cells))]
        code = [other for other in below if other.cell_type == "code"]
        told = any(other.metadata.get("told") for other in [cell, *below])
        if 1 < level < 9 and code and not told and not any(map(_shows, code)):
            left_out = max(left_out, place + 1 + len(below))
        if place >= left_out:
            kept.append(cell)
    return kept


def _level(cell):
    """Of a cell that opens with a heading its number of #, 7 of another text, 9 of code."""
    heading = re.match(r"\s*(#{1,6}) ", cell.source)
    return 9 if cell.cell_type == "code" else len(heading[1]) if heading else 7


def _shows(cell):
    return any(one.get("data", {}).get("text/markdown", "?").strip() for one in cell.outputs)


def _embed(cell, folder):
    """Bring a cell's images into `folder` as PNG, that can hold no script, formulas and tables into
    Markdown: images beside the notebook or attached to it, <img>, SVG, JPEG; LaTeX, HTML tables.
    """

    def shown(match):
        values = dict(re.findall(r"""\b(src|alt)\s*=\s*["']([^"']*)""", match[0]))
        alt, source = (match[1], match[2]) if match[2] else map(values.get, ("alt", "src"))
        content = _image(source or "", cell.get("attachments", {}))
        if not content:
            return f"![{alt}](<{source}>)" if source else ""
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.png"
        (folder / name).write_bytes(content)
        return f"![{alt if match[2] else plain(alt or '')}]({name})"

    if cell.cell_type == "markdown":
        cell.source = IMAGE.sub(shown, cell.source)
    for data in (output.get("data", {}) for output in cell.get("outputs", [])):
        kinds = [kind for kind in data if kind.startswith("image/")]
        if "text/markdown" in data or "image/png" in kinds:
            continue
        if "text/latex" in data:
            formula = re.sub(r"^\$+\s*|\s*\$+$", "", data["text/latex"].strip())
            data["text/markdown"] = f"$${formula}$$"
        elif content := kinds and _png(_bytes(data[kinds[0]])):
            data["image/png"] = base64.b64encode(content).decode()
        elif tags := re.findall(r"<img\b[^>]*>", data.get("text/html", "")):
            data["text/markdown"] = "\n\n".join(IMAGE.sub(shown, tag) for tag in tags)
        elif tables := re.findall(r"(?is)<table\b.*</table>", data.get("text/html", "")):
            if made := _from_html(tables[0]):
                data["text/markdown"] = f"::: scroll\n{made}\n:::"


def _from_html(markup):
    """HTML as Markdown, as far as that can say it; "" where pandoc finds nothing to say."""
    from report.typeset import MARKDOWN, pandoc_program

    command = [pandoc_program(), "--sandbox", "--from=html", f"--to={MARKDOWN}", "--wrap=none"]
    made = subprocess.run(command, input=markup.encode(), capture_output=True, check=False)
    return made.stdout.decode().strip("\n")


def _image(source, attachments):
    """The PNG content of an image that Markdown names; None where there is none such."""
    kind, _, name = source.partition(":")
    if kind == "attachment" and name in attachments:
        return _png(_bytes(next(iter(attachments[name].values()))))
    if kind == "data" and ";base64," in name:
        return _png(_bytes(name.partition(",")[2]))
    path = (paths.NOTEBOOKS / unquote(source)).resolve()
    return _png(path.read_bytes()) if path.is_relative_to(paths.ROOT) and path.is_file() else None


def _bytes(text):
    """The content of an image in a notebook, where SVG is text and all else base64."""
    return text.encode() if "<" in text else base64.b64decode(text)


def _png(content):
    """Any image as PNG, SVG drawn by Typst; None where it cannot be read."""
    import typst
    from PIL import Image

    if content.startswith(PNG):
        return content
    try:
        if b"<svg" in content:
            page = "#set page(width: auto, height: auto, margin: 0pt)\n"
            page += "#image(bytes(sys.inputs.svg))"
            inputs = {"svg": content.decode()}
            return typst.compile(page.encode(), format="png", ppi=144, sys_inputs=inputs)
        drawn = io.BytesIO()
        Image.open(io.BytesIO(content)).convert("RGBA").save(drawn, "PNG")
        return drawn.getvalue()
    except (OSError, ValueError, RuntimeError, Image.DecompressionBombError):
        return None


def _clean(text):
    """Terminal text as plain text: no colours; of a line written over, what was left standing."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"[^\n]*\r(?!\n|$)", "", text.replace("\r\n", "\n"))
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")


def one_line(text):
    """What a program said, as one line of plain text."""
    return " ".join(_clean(str(text)).split())


def _fenced(text, kind):
    return fence(_clean(text).strip("\n"), kind)


def _folding(cell):
    """Code that teaches stands open; set-up, default parameters, calls that only draw are folded,
    and so are long cells."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    folded = hidden or {"setup", "parameters", "figure"} & set(cell.metadata.get("tags", []))
    return "" if folded or cell.source.count("\n") > 40 else ".open"


def _prose(cell):
    """A Markdown cell. Its <details> become blocks to fold; papermill's banner loses its markup."""
    if any(tag.startswith("papermill-error") for tag in cell.metadata.get("tags", [])):
        return "::: {.standin}\n" + re.sub(r"<[^>]*>", "", cell.source) + "\n:::"
    opening = r'(?m)^( *)<details><summary>([^<>"\n]*)</summary> *$'
    text = re.sub(opening, r'\1::: {.answer summary="\2"}', cell.source)
    return re.sub(r"(?m)^( *)</details> *$", r"\1:::", text)


def _refuse(text, kind):
    """Errors and warnings do not get into the report; Matplotlib's font cache is neither."""
    if said := re.sub(".*building the font cache.*", "", _clean(text)).strip():
        found, last = "an error" if kind == "error" else "a warning", said.splitlines()[-1]
        raise paths.UserError(f"The report's notebook ends with {found}: {one_line(last)}")
    return ""

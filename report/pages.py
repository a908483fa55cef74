"""From a notebook to a page: nbconvert makes Markdown of it, pandoc makes HTML and Typst of that, Typst makes PDF.

The style, its filters and templates lie in report/style. Nothing here needs LaTeX, a browser or the network.
"""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

from helpers.show.markup import fence
from helpers.store import paths, startup

STYLE = paths.REPORT_SOURCE / "style"
BIBLIOGRAPHY = paths.REPORT_SOURCE / "references.bib"

# What notebooks write is Markdown and nothing else: no raw HTML, TeX or Typst, no metadata that could name files.
MARKDOWN = (
    "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks"
    "-yaml_metadata_block-pandoc_title_block-latex_macros-example_lists"
    "+lists_without_preceding_blankline+autolink_bare_uris"
)
KANA = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"


def execute(notebook, output, parameters):
    """Run a notebook headlessly with parameters; returns it with its outputs. Raises UserError where a cell fails.

    output: where to write it, as papermill does after every cell; None keeps it in memory.
    """
    startup.without_grammars()
    import papermill

    try:
        return papermill.execute_notebook(
            str(notebook),
            None if output is None else str(output),
            parameters,
            kernel_name="python3",
            language="python",
            cwd=str(paths.ROOT),
            progress_bar=False,
            log_output=False,
            extra_arguments=["--log-level=50"],
        )  # the kernel's remarks stay out
    except papermill.PapermillExecutionError as error:
        said = error.evalue if error.ename == "UserError" else f"{error.ename}: {error.evalue}"
        raise paths.UserError(
            f"{Path(notebook).name} fails in cell [{error.exec_count}]: {_one_line(said)}"
        ) from error


def markdown(notebook, folder, code=False):
    """Markdown of an executed notebook (an nbformat node). Images in its outputs are written into `folder`.

    Without `code` (the report) inputs are hidden, and an error or a line on stderr raises UserError. With it (an
    appendix page) inputs are kept and errors are shown.
    """
    from nbconvert.exporters import MarkdownExporter
    from traitlets.config import Config

    config = Config(
        {"NbConvertBase": {"display_data_priority": ["text/markdown", "image/png", "text/plain"]}}
    )
    exporter = MarkdownExporter(
        config=config, template_name="pandoc", extra_template_basedirs=[str(STYLE)]
    )
    exporter.exclude_input = not code
    filters = {
        "fenced": _fenced,
        "folding": _folding,
        "prose": _prose,
        "refuse": _fenced if code else _refuse,
    }
    for name, function in filters.items():
        exporter.register_filter(name, function)
    text, resources = exporter.from_notebook_node(notebook)
    for name, content in resources["outputs"].items():
        (Path(folder) / name).write_bytes(content)
    return text


def html(text, folder, metadata=None):
    """One self-contained HTML file (bytes) from Markdown. Images that the text names lie in `folder` or below OUT.

    With `lenient` in the metadata what cannot be shown is said on the page and does not stop it.
    """
    css = (STYLE / "report.css").read_text(encoding="utf-8") + _kana_font(text)
    template = (
        (STYLE / "report.html")
        .read_text(encoding="utf-8")
        .replace("/*CSS*/", css.replace("$", "$$"))
    )
    (Path(folder) / "template.html").write_text(template, encoding="utf-8")
    options = ["--to=html5", "--mathml", "--embed-resources", "--template=template.html"]
    return _pandoc(text, folder, metadata, *options).encode()


def pdf(text, folder):
    """The PDF (bytes) from the same Markdown. Raises UserError on anything that Typst warns of."""
    import typst

    source = Path(folder) / "report.typ"
    source.write_text(
        _pandoc(
            text,
            folder,
            None,
            "--to=typst",
            f"--template={STYLE / 'report.typ'}",
            "--syntax-highlighting=idiomatic",
            "--extract-media=media",
        ),
        encoding="utf-8",
    )
    try:
        compiler = typst.Compiler(
            str(source),
            root=str(folder),
            font_paths=[str(_kana_folder())],
            ignore_system_fonts=True,
        )
        content, warnings = compiler.compile_with_warnings(format="pdf")
    except typst.TypstError as error:
        raise paths.UserError(f"The report cannot be typeset: {_one_line(error)}") from error
    if warnings:
        raise paths.UserError(f"The report is not typeset cleanly: {_one_line(warnings[0])}")
    return content


def _pandoc(text, folder, metadata, *options):
    """Markdown through pandoc and our filters. Raises UserError on an unresolved reference and on any warning."""
    metadata = {"lang": "en", "link-citations": "true", "reference-section-title": "References"} | (
        metadata or {}
    )
    filters = [f"--lua-filter={STYLE / 'safe.lua'}", f"--lua-filter={STYLE / 'crossref.lua'}"]
    citations = (
        []
        if "lenient" in metadata
        else ["--citeproc", f"--bibliography={BIBLIOGRAPHY}", "--fail-if-warnings"]
    )
    command = [
        _pandoc_program(),
        f"--from={MARKDOWN}",
        "--standalone",
        "--toc",
        "--toc-depth=2",
        "--number-sections",
        "--columns=10000",
        "--wrap=none",
        f"--resource-path={os.pathsep.join(['.', str(paths.OUT)])}",
        *filters,
        *citations,
        *(f"--metadata={key}={value}" for key, value in metadata.items()),
        *options,
    ]
    done = subprocess.run(
        command,
        input=text.encode(),
        cwd=folder,
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"},
    )  # it reads names of files by it
    said = done.stderr.decode(errors="replace")
    if done.returncode:
        problem = re.search(r"problem: (.*)", said)
        raise paths.UserError(
            f"The report cannot be built: {problem[1] if problem else _one_line(said)}"
        )
    return done.stdout.decode()


def _pandoc_program():
    import pypandoc

    # The one in the wheel, of the locked version, whatever else is on PATH.
    carried = (
        Path(pypandoc.__file__).parent / "files" / ("pandoc.exe" if os.name == "nt" else "pandoc")
    )
    return str(carried if carried.exists() else pypandoc.get_pandoc_path())


def _kana_folder():
    """The folder of the font that matplotlib-fontja brings (found without importing Matplotlib)."""
    return (
        Path(importlib.util.find_spec("matplotlib_fontja").submodule_search_locations[0]) / "fonts"
    )


def _kana_font(text):
    """CSS that brings the kana and kanji of a text along: a subset of the font, as a data address."""
    signs = sorted(set(re.findall(KANA, text)))
    if not signs:
        return ""
    import base64
    import io

    from fontTools import subset

    options = subset.Options(
        flavor="woff",
        layout_features=[],
        hinting=False,
        recalc_timestamp=False,
        name_IDs=[0, 1, 2, 13, 14],
    )
    font = subset.load_font(str(_kana_folder() / "ipaexg.ttf"), options, lazy=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=map(ord, signs))
    subsetter.subset(font)
    content = io.BytesIO()
    subset.save_font(font, content, options)
    ranges = ", ".join(f"U+{ord(sign):04X}" for sign in signs)
    address = base64.b64encode(content.getvalue()).decode()
    return (
        f'\n@font-face {{ font-family: "Kana"; src: url("data:font/woff;base64,{address}") format("woff"); '
        f"unicode-range: {ranges}; }}\n"
    )


def _clean(text):
    """Terminal text as plain text: no colours, and of a line written over again only what was left standing."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)
    text = re.sub(r"[^\n]*\r(?!\n|$)", "", text.replace("\r\n", "\n"))
    return "".join(sign for sign in text if sign.isprintable() or sign in "\n\t")


def _one_line(text):
    return " ".join(_clean(str(text)).split())


def _fenced(text, kind):
    return fence(_clean(text).strip("\n"), kind)


def _folding(cell):
    """Code that teaches stands open; set-up, default parameters, calls that only draw and long cells are folded."""
    hidden = cell.metadata.get("jupyter", {}).get("source_hidden")
    folded = hidden or {"setup", "parameters", "figure"} & set(cell.metadata.get("tags", []))
    return "" if folded or cell.source.count("\n") > 40 else ".open"


def _prose(cell):
    """A Markdown cell. Its <details> become blocks to fold; of papermill's banner over a failure the words are kept."""
    if any(tag.startswith("papermill-error") for tag in cell.metadata.get("tags", [])):
        return "::: {.standin}\n" + re.sub(r"<[^>]*>", "", cell.source) + "\n:::"
    text = re.sub(
        r'(?m)^( *)<details><summary>([^<>"\n]*)</summary> *$',
        r'\1::: {.answer summary="\2"}',
        cell.source,
    )
    return re.sub(r"(?m)^( *)</details> *$", r"\1:::", text)


def _refuse(text, kind):
    """Errors and warnings do not get into the report. Matplotlib's word that it builds its font cache is neither."""
    lines = [
        line
        for line in _clean(text).splitlines()
        if line.strip() and "building the font cache" not in line
    ]
    if lines:
        found = "an error" if kind == "error" else "a warning"
        raise paths.UserError(f"The report's notebook ends with {found}: {_one_line(lines[-1])}")
    return ""

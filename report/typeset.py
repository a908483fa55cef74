"""From Markdown to a page: pandoc makes HTML, and Typst of which Typst makes PDF, for build.py.

Style, filters and templates lie in report/style. No LaTeX, no browser and no network is needed.
"""

import base64
import hashlib
import os
import re
import subprocess
import sys
from html import escape
from pathlib import Path

from helpers.show.canvas import glyphs, kana_folder
from helpers.store import paths
from report.pages import one_line

STYLE = paths.REPORT_SOURCE / "style"
TRY = paths.REPORT_SOURCE / "try"  # the section in which a reader draws
PAD = paths.ROOT / "helpers" / "predict" / "pad.js"  # notebook 12 draws on the same pad
SCRIPTS = {STYLE: [STYLE / "report.js"], TRY: [TRY / "networks.js", PAD, TRY / "page.js"]}
BIBLIOGRAPHY = paths.REPORT_SOURCE / "references.bib"

# Notebooks write Markdown alone: no raw HTML, TeX or Typst, no metadata that could name files.
MARKDOWN = (
    "markdown-raw_html-raw_tex-raw_attribute-native_divs-native_spans-markdown_in_html_blocks"
    "-yaml_metadata_block-pandoc_title_block-latex_macros-example_lists"
    "+lists_without_preceding_blankline+autolink_bare_uris"
)
KANA = r"[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"


def html(text, folder, metadata=None):
    """One self-contained HTML file (bytes) from Markdown; its images lie in `folder` or below OUT.

    With `lenient` in the metadata what cannot be shown is said on the page and does not stop it.
    """
    data = Path(folder) / "page.json"  # networks to try, where the text has a place for them
    parts = (STYLE, TRY) if data.exists() else (STYLE,)
    css = "".join(_read(path) for part in parts for path in sorted(part.glob("*.css")))
    script = "".join(_read(path) for part in parts for path in SCRIPTS[part])
    carried = (
        f'<template id="networks">{escape(_read(data), quote=False)}</template>\n'
        if data.exists()
        else ""
    )
    marks = {"/*CSS*/": css + _kana_font(text, folder), "/*JS*/": script, "/*HASH*/": _hash(script)}
    template = _read(STYLE / "report.html")
    for mark, content in marks.items():
        template = template.replace(mark, content.replace("$", "$$"))
    (Path(folder) / "template.html").write_text(template, encoding="utf-8")
    options = ["--to=html5", "--mathml", "--embed-resources", "--template=template.html"]
    page = _pandoc(text, folder, metadata or {}, *options)
    return page.replace("<!--DATA-->", carried, 1).encode()  # pandoc need not read megabytes


def _read(path):
    return path.read_text(encoding="utf-8")


def _hash(script):
    """What a content security policy calls this script by, the only one that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def pdf(text, folder, metadata=None):
    """The PDF (bytes) from the same Markdown; UserError on anything that Typst warns of.

    A sign that its fonts lack stands as its code point, such as U+D55C, which is said once.
    """
    import typst

    source = Path(folder) / "report.typ"
    options = ["--syntax-highlighting=idiomatic", "--extract-media=media"]
    template = f"--template={STYLE / 'report.typ'}"
    have = glyphs("DejaVuSansMono")  # the widest of the fonts that Typst carries
    lacking = sorted({sign for sign in text if sign.isprintable() and ord(sign) not in have})
    about = {**(metadata or {}), **({"missing": "".join(lacking)} if lacking else {})}
    source.write_text(_pandoc(text, folder, about, "--to=typst", template, *options), "utf-8")
    fonts = [str(kana_folder())]
    try:
        compiler = typst.Compiler(
            str(source), root=str(folder), font_paths=fonts, ignore_system_fonts=True
        )
        content, warnings = compiler.compile_with_warnings(format="pdf")
    except typst.TypstError as error:
        raise paths.UserError(f"The report cannot be typeset: {one_line(error)}") from error
    if warnings:
        raise paths.UserError(f"The report is not typeset cleanly: {one_line(warnings[0])}")
    return content


def _pandoc(text, folder, metadata, *options):
    """Markdown through pandoc and our filters; UserError on a reference to nothing or a warning."""
    about = {"lang": "en", "link-citations": "true", "reference-section-title": "References"}
    citations = ["--citeproc", f"--bibliography={BIBLIOGRAPHY}", "--fail-if-warnings"]
    command = [
        pandoc_program(),
        f"--from={MARKDOWN}",
        *("--standalone", "--toc", "--toc-depth=2", "--number-sections"),
        *("--columns=10000", "--wrap=none"),
        *(f"--lua-filter={STYLE / name}" for name in ("safe.lua", "numbers.lua", "crossref.lua")),
        *([] if "lenient" in metadata else citations),
        *(f"--metadata={key}={value}" for key, value in {**about, **metadata}.items()),
        *options,
    ]
    locale = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"  # names of files are read so
    done = subprocess.run(
        command,
        input=text.encode(),
        cwd=folder,
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": locale},
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace")
        problem = re.search(r"problem: (.*)", said)
        what = problem[1] if problem else one_line(said)
        raise paths.UserError(f"The report cannot be built: {what}")
    return done.stdout.decode()


def pandoc_program():
    """Path of the pandoc in the wheel, of the locked version, whatever else is on PATH."""
    import pypandoc

    name = "pandoc.exe" if os.name == "nt" else "pandoc"
    carried = Path(pypandoc.__file__).parent / "files" / name
    return str(carried if carried.exists() else pypandoc.get_pandoc_path())


def _kana_font(text, folder):
    """CSS that brings the kana and kanji of a text along: a subset of the font, as a data URL."""
    signs = sorted(set(re.findall(KANA, text)))
    if not signs:
        return ""
    from fontTools import subset

    made, codes = Path(folder) / "kana.woff", [f"U+{ord(sign):04X}" for sign in signs]
    options = ["--flavor=woff", "--no-hinting", "--layout-features=", "--name-IDs=0,1,2,13,14"]
    font, wanted = str(kana_folder() / "ipaexg.ttf"), f"--unicodes={','.join(codes)}"
    subset.main([font, wanted, f"--output-file={made}", *options])
    address = base64.b64encode(made.read_bytes()).decode()
    return (
        f'\n@font-face {{ font-family: "Kana"; src: url("data:font/woff;base64,{address}") '
        f'format("woff"); unicode-range: {", ".join(codes)}; }}\n'
    )

"""From a notebook to HTML and PDF: what is refused, what is numbered, what cannot get in."""

import base64
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser

import nbformat
import pytest
import typst

from helpers import results
from helpers.store import files, paths
from report import build as report
from report import pages, typeset

HEAD = """import pandas as pd
from helpers.show.exhibits import Figure, Prose, Table, plain, source"""
EVIL = [
    "<script>alert(1)</script>",
    "</figure></table>",
    "`a` ``b``",
    "a|b",
    '#import "@preview/x:0.1.0"',
    "$x^2$",
    "@x @fig-x",
    "= head",
    "- item",
    "+ item",
    "/ a: b",
    "1. item",
    "<img src=x onerror=alert(1)>",
    "::: {.x}",
    "[l](javascript:alert(1))",
    "// c",
    "/* c",
    "#eval(1)",
    "<fig-x>",
    "\\begin{x}",
    "&lt;&amp;",
]


SCRIPT = (typeset.STYLE / "report.js").read_text(encoding="utf-8")


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, content):
        super().__init__()
        self.tags, self.attributes, self.text, self.scripts = [], [], "", []
        self.feed(content.decode())

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "script":
            self.scripts.append("")
        self.attributes += [(tag, name, value or "") for name, value in attributes]

    def handle_data(self, data):
        if self.tags[-1:] == ["script"] and self.lasttag == "script" and self.cdata_elem:
            self.scripts[-1] += data
        else:
            self.text += data

    def ids(self):
        return {value for _, name, value in self.attributes if name == "id"}


def assert_harmless(page):
    assert not {"iframe", "object", "embed", "form", "base", "svg"} & set(page.tags)
    assert page.scripts == [SCRIPT], "one script, byte for byte ours"
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        # an SVG file as an image runs no script and loads nothing
        images = ("data:image/png;base64,", "data:image/svg+xml;base64,")
        assert name not in ("src", "srcset", "poster") or value.startswith(images), (
            tag,
            name,
            value[:40],
        )
        assert not value.strip().lower().startswith(("javascript:", "vbscript:", "data:text")), (
            tag,
            name,
            value,
        )
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes


@pytest.fixture
def out(tmp_path, monkeypatch):
    """A folder with spaces, accents, a colon as OUT; in it a record, a figure, a report.ipynb."""
    from PIL import Image

    folder = tmp_path / "some où dir" / "12:30"
    figure = folder / "figures" / "smoke" / "run" / "curves é.png"
    figure.parent.mkdir(parents=True)
    content = io.BytesIO()
    Image.linear_gradient("L").save(content, "PNG")
    figure.write_bytes(content.getvalue())
    monkeypatch.setattr(paths, "OUT", folder)
    monkeypatch.setenv("OUT", str(folder))
    monkeypatch.setattr(report, "NOTEBOOK", folder / "report.ipynb")
    files.save_bytes(paths.results("smoke") / "mnist-mlp.npz", b"answers")
    content = {
        **dict.fromkeys(results.FIELDS),
        "run": "mnist-mlp",
        "dataset": {"kind": "official", "sha256": "?"},
        "seeds": [{}],
        "figures": [],
    }
    files.save_json(
        paths.results("smoke") / "mnist-mlp.json", content
    )  # a report needs a result to report on
    return folder


def write(path, *cells):
    """A notebook of cells: text is Markdown, text in a tuple code; `profile =` makes parameters."""
    node = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "x", "language": "python"}}
    )
    for cell in cells:
        new = (
            nbformat.v4.new_code_cell(cell[0])
            if isinstance(cell, tuple)
            else nbformat.v4.new_markdown_cell(cell)
        )
        if isinstance(cell, tuple) and cell[0].startswith("profile ="):
            new.metadata.tags = ["parameters"]
        node.cells.append(new)
    nbformat.write(node, path)


def both(text, folder):
    return Page(typeset.html(text, folder)), typeset.pdf(text, folder)


def table(cells, label="tbl-a"):
    import pandas as pd

    from helpers.show.exhibits import Table

    return Table(pd.DataFrame({"cell": cells}), "Caption.", label)._markdown()


def _words(content):
    """The text in what Typst tells of a document, without spaces and quotation marks."""
    if isinstance(content, dict):
        yield content.get("text", "") if isinstance(content.get("text"), str) else ""
    for part in (
        content.values()
        if isinstance(content, dict)
        else content
        if isinstance(content, list)
        else ()
    ):
        yield from _words(part)


# the whole way

NOTEBOOK = [
    "# A title",
    ('profile = "?"',),
    (HEAD,),
    ('Prose("::: {.standin}\\n**Stand-in images.** Not real.\\n:::")',),
    "## Data\n\nKana かな, accents é. See @fig-a, @tbl-a, @eq-a, (@sec-data) and [@lecun1998].[^1]"
    "\n\n[^1]: A note.",
    "$$ a^2 $$ {#eq-a}",
    ('Figure("figures/smoke/run/curves é.png", "A figure.", "fig-a")',),
    ('Table(pd.DataFrame({"a": [profile], "b": [.5]}), "A table.", "tbl-a", note="A note.")',),
    ("source(plain)",),
]


@pytest.mark.slow
def test_a_report_is_built_once_and_again_only_when_something_changed(out):
    write(report.NOTEBOOK, *NOTEBOOK)
    said = []
    page, document = report.build("smoke", say=said.append)
    first = page.read_bytes(), document.read_bytes()
    parsed = Page(first[0])
    assert_harmless(parsed)
    exhibits = ("Figure\xa01. A figure", "Table\xa01. A table", "Equation\xa01", "Section\xa01")
    for words in ("A title", "Stand-in images", *exhibits, "LeCun", "smoke", "かな"):
        assert words in parsed.text
    assert first[1].startswith(b"%PDF") and len(said) == 2 and "written" in said[0]

    report.build("smoke", say=said.append)
    assert "up to date" in said[2]
    report.build("smoke", force=True, say=said.append)
    assert (page.read_bytes(), document.read_bytes()) == first, "equal inputs must give equal bytes"

    page.write_bytes(page.read_bytes()[:-9])  # a damaged report is made again
    report.build("smoke", say=said.append)
    assert page.read_bytes() == first[0] and "written" in said[-1]
    write(report.NOTEBOOK, *NOTEBOOK[:-1], "More text.")
    report.build("smoke", say=said.append)
    assert "More text" in Page(page.read_bytes()).text
    assert not [path for path in page.parent.iterdir() if "partial" in path.name]


def test_damaged_results_are_named_and_left_out(out):
    said = []
    write(report.NOTEBOOK, "# T")
    files.save_all(
        {paths.results("smoke") / "mnist-cnn.json": b"{}"},
        manifest=paths.results("smoke") / "mnist-cnn.sha256",
    )
    (paths.results("smoke") / "mnist-cnn.json").write_bytes(b"{ }")
    report._make("smoke", [out / "a.html", out / "a.pdf"], out / ".state.json", said.append)
    assert len(said) == 1 and "mnist-cnn.json is damaged" in said[0]
    assert (out / "a.html").exists() and (out / "a.pdf").exists()


def test_a_page_is_that_of_the_notebook_as_it_was_last_executed(out):
    folder, said = paths.executed("smoke"), []
    folder.mkdir()
    for run in ("mnist-mlp", "mnist-cnn"):
        write(folder / f"{run}.ipynb", "# First")
    (folder / "gone.html").write_text("a page without a notebook")
    report._make_pages("smoke", {}, said.append)
    before = report._notebooks("smoke")
    assert sorted(path.name for path in folder.glob("*.html")) == [
        "mnist-cnn.html",
        "mnist-mlp.html",
    ]

    untouched = (folder / "mnist-cnn.html").stat().st_mtime_ns
    write(folder / "mnist-mlp.ipynb", "# Second")
    os.utime(folder / "mnist-mlp.ipynb", (1, 1))  # copied with its time, say
    report._make_pages("smoke", before, said.append)
    assert "Second" in (folder / "mnist-mlp.html").read_text()
    assert (folder / "mnist-cnn.html").stat().st_mtime_ns == untouched and said == []

    (folder / "mnist-mlp.ipynb").write_text("{")
    report._make_pages("smoke", report._notebooks("smoke") | {"mnist-mlp": "?"}, said.append)
    assert len(said) == 1 and "mnist-mlp.ipynb: no page" in said[0] and "\n" not in said[0]
    assert not (folder / "mnist-mlp.html").exists(), "a page of another execution"


def test_an_unchanged_report_needs_no_heavy_import(out, monkeypatch):
    heavy = {"papermill", "nbconvert", "pandas", "typst", "keras", "scipy", "matplotlib"}
    code = f"import sys, report.build; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=paths.ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_records_figures_notebook_and_appendices_decide_whether_to_build(out):
    write(report.NOTEBOOK, "# T")
    results, executed = paths.results("smoke"), paths.executed("smoke")
    executed.mkdir()
    seen = {report._sources("smoke")}
    for path in (results / "a.json", executed / "a.html"):
        path.write_text("1")
        seen.add(report._sources("smoke"))
    write(report.NOTEBOOK, "# Another title")
    seen.add(report._sources("smoke"))
    assert len(seen) == 4
    before = report._figures("smoke")
    (out / "figures/smoke/run/curves é.png").write_bytes(b"other")
    assert report._figures("smoke") != before


@pytest.mark.parametrize(
    "cell, words",
    [
        ("1 / 0", "ZeroDivisionError"),
        ("import warnings; warnings.warn('beware of it')", "beware of it"),
        ("from helpers.store.paths import UserError; raise UserError('do this')", "do this"),
        ("import sys; print('odd', file=sys.stderr)", "odd"),
    ],
)
@pytest.mark.slow
def test_an_error_or_a_warning_in_the_notebook_stops_the_report_with_one_line(
    out, capsys, cell, words
):
    write(report.NOTEBOOK, "# T", ('profile = ""',), (cell,))
    assert report.main(["--profile", "smoke"]) == 1
    said = capsys.readouterr().err.strip()
    assert words in said and "\n" not in said
    assert not (paths.report("smoke") / "report.html").exists()


def test_no_results_at_all_is_one_line_that_says_what_to_do(out, capsys):
    (paths.results("smoke") / "mnist-mlp.json").unlink()
    assert report.main(["--profile", "smoke"]) == 1
    assert re.fullmatch(r"Error: .*make all PROFILE=smoke.*\n", capsys.readouterr().err)


def test_an_unknown_profile_is_named_with_the_known_ones(out, capsys):
    assert report.main(["--profile", "huge"]) == 1
    assert re.fullmatch(r".*huge.*smoke, quick, full.*\n", capsys.readouterr().err)


# references


@pytest.mark.parametrize(
    "text, words",
    [
        ("See @fig-nothing.", "@fig-nothing"),
        ("See [@tbl-a; @tbl-b].", "@tbl-a.*@tbl-b"),
        ("Of [@nobody1900].", "nobody1900"),
        ("A [link](#nowhere).", "#nowhere"),
        ("$$a$$ {#eq-a}\n\n$$b$$ {#eq-a}", "eq-a is used twice"),
        ("![x](no.png)", "no.png"),
        ("![x](https://example.org/x.png)", "example.org"),
        ("![x](a.svg)", "a.svg"),
        ("$\\nonsense{x}$", "nonsense"),
    ],
)
def test_what_leads_nowhere_stops_the_report_and_is_named(out, tmp_path, text, words):
    for make in (typeset.html, typeset.pdf):
        with pytest.raises(paths.UserError, match=words):
            make(f"# T\n\n## S\n\n{text}\n", tmp_path)


def test_numbers_follow_the_order_of_the_page_and_sections_their_level(tmp_path):
    text = (
        "# T\n\n## One\n\n### Sub part\n\n## Two\n\n"
        + table(["x"], "tbl-b")
        + "\n"
        + table(["y"], "tbl-a")
    )
    text += "\n@tbl-a, @tbl-b, @sec-sub-part, @sec-two, [@tbl-a; @tbl-b]."
    page, _ = both(text, tmp_path)
    assert (
        "Table\xa02, Table\xa01, Section\xa01.1, Section\xa02, (Table\xa02 and Table\xa01)."
        in page.text
    )
    assert {"tbl-a", "tbl-b"} <= page.ids()


def test_appendices_have_letters_and_stand_folded_after_the_references(tmp_path):
    text = "# T\n\n## One [@lecun1998]\n\n@sec-more and @sec-sub.\n\n"
    text += "## More {#sec-more .appendix}\n\n### Sub {#sec-sub}\n\nx\n\n## Last {.appendix}\n\ny\n"
    page, _ = both(text, tmp_path)
    source = (tmp_path / "report.typ").read_text(encoding="utf-8")
    assert "Appendix\xa0A and Appendix\xa0A.1." in page.text and page.tags.count("details") == 2
    assert re.search(r"(?s)LeCun, Yann.*A\s+More.*A\.1\s+Sub.*B\s+Last", page.text)
    assert re.search(r"(?s)\[References\].*#show: appendix.*= More", source)


def test_numbers_keep_their_sign_and_their_unit(tmp_path):
    text = "# T\n\n## S\n\n-0.5 % (-3%), 1 ± 2, 28 × 28, 5 s; a-1 `-1 %`\n\n" + table(["-0.5 %"])
    page, _ = both(text, tmp_path)
    words = "−0.5\u202f% (−3\u202f%), 1\xa0±\xa02, 28\xa0×\xa028, 5\xa0s; a-1 -1 %"
    source = (tmp_path / "report.typ").read_text(encoding="utf-8")
    for shown in (page.text, source.replace("`", "").replace("~", "\xa0")):
        assert words in shown and shown.count("−0.5\u202f%") == 2


def test_a_note_and_a_caption_stand_in_the_margin_and_what_is_wide_does_not(tmp_path):
    note = "::: margin\nA note.\n:::\n\n"
    text = f"# T\n\n## S\n\n{note}::: wide\n{table(['x'])}\n:::\n\n{table(['y'], 'tbl-b')}"
    page, _ = both(text, tmp_path)
    source = (tmp_path / "report.typ").read_text(encoding="utf-8")
    modes = [value for tag, name, value in page.attributes if (tag, name) == ("figure", "class")]
    assert modes == ["table normal wide", "table normal side"] and "#margin[" in source
    assert re.findall('mode: "(wide|side)"', source[source.index("#margin[") :]) == ["wide", "side"]
    assert ("div", "role", "note") in page.attributes


def test_a_figure_and_a_publication_may_be_cited_together(tmp_path):
    page, _ = both("# T\n\n## S\n\nAs @sec-s [@lecun1998] says [@sec-s; @guo2017].", tmp_path)
    assert "As Section\xa01 (LeCun et al. 1998) says (Section\xa01) (Guo et al. 2017)." in page.text


def test_contents_and_references_link_to_what_is_there(tmp_path):
    text = "# T\n\n## Über kana かな\n\n### かな\n\n### 漢字\n\n"
    text += "@sec-漢字 [@lecun1998] and @guo2017\n\n## Last\n"
    page, _ = both(text, tmp_path)
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    targets = {value[1:] for value in links if value.startswith("#")}
    assert targets and targets <= page.ids()


@pytest.mark.parametrize("text", ["@fig-none shows it.", "As [@tbl-none; @sec-none].", "[x](#no)"])
def test_in_a_report_of_some_runs_a_reference_to_nothing_becomes_plain_words(tmp_path, text):
    partial = {"partial": "true"}
    page = Page(typeset.html(f"# T\n\n## S\n\n{text}\n", tmp_path, partial))
    assert "(not in this edition)" in page.text or text == "[x](#no)"
    assert not [value for _, name, value in page.attributes if name == "href" and "no" in value]
    assert typeset.pdf(f"# T\n\n## S\n\n{text}\n", tmp_path, partial).startswith(b"%PDF")


def test_sections_and_texts_over_code_that_shows_nothing_are_left_out(tmp_path):
    new, code = (
        nbformat.v4,
        lambda text: nbformat.v4.new_code_cell(
            "f()", outputs=[output("display_data", data={"text/markdown": text, "text/plain": "p"})]
        ),
    )
    cells = [
        new.new_markdown_cell("# T"),
        new.new_code_cell("x = 1"),
        new.new_markdown_cell("## A"),
    ]
    cells += [
        code(""),
        new.new_markdown_cell("### A1"),
        code(" "),
        new.new_markdown_cell("after A"),
    ]
    cells += [new.new_markdown_cell("## B"), new.new_markdown_cell("over none"), code("")]
    cells += [new.new_markdown_cell("over some"), code("shown"), new.new_markdown_cell("## C")]
    cells += [new.new_markdown_cell("no code")]
    node = new.new_notebook(cells=cells)
    text = pages.markdown(node, tmp_path)
    assert re.findall(r"[#\w ]+", text) == "# T,## B,over some,shown,## C,no code".split(",")


@pytest.mark.parametrize("sign", ["한", "亿", "म", "😀"])
def test_a_sign_that_the_pdf_cannot_show_stands_as_its_code_point(tmp_path, sign):
    typeset.pdf(f"# T\n\n## S {sign}\n\n`{sign}` a{sign}b かな é ≥\n", tmp_path)
    source = (tmp_path / "report.typ").read_text(encoding="utf-8")
    code = f"U+{ord(sign):04X}"
    assert sign not in re.sub(r"<.*?>", "", source) and f"a{code}b かな é ≥" in source
    assert f"such as {code}." in source
    assert sign in Page(typeset.html(f"# T\n\n## S\n\n{sign}\n", tmp_path)).text


# nothing gets in


def test_no_cell_becomes_markup_in_html(tmp_path):
    page = Page(typeset.html("# T\n\n## S\n\n" + table(EVIL), tmp_path))
    assert_harmless(page)
    assert page.tags.count("td") == len(EVIL) and page.tags.count("h1") == 2
    for text in EVIL:
        assert text in page.text


def test_no_cell_becomes_markup_in_typst(tmp_path):
    typeset.pdf("# T\n\n## S\n\n" + table(EVIL), tmp_path)

    def found(kind):
        fonts = [str(typeset.kana_folder())]
        return json.loads(
            typst.query(str(tmp_path / "report.typ"), kind, root=str(tmp_path), font_paths=fonts)
        )

    assert [heading["body"]["text"] for heading in found("heading")] == ["S"]
    assert not [kind for kind in ("list", "enum", "terms", "math.equation", "raw") if found(kind)]
    shown = "".join(_words(found("table")[0]["children"]))
    wanted = "cell" + "".join(EVIL)
    assert re.sub(r"[\s\u200b\"']", "", shown) == re.sub(r"[\s\"']", "", wanted), (
        "the words, all of them, and no more"
    )


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<b onclick='alert(1)'>x</b>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x]{onclick='alert(1)' style='color:red'}",
        "`x`{=html}",
        "```{=html}\n<script>alert(1)</script>\n```",
        "```{=typst}\n#panic()\n```",
        "`#panic()`{=typst}",
        "## H {onclick='alert(1)'}",
        "::: {onmouseover='alert(1)'}\nx\n:::",
        "```{.python onclick='x'}\n1\n```",
        "<https://x.org/'onclick=alert(1)>",
        "[x](data:text/html,<script>)",
        "---\nheader-includes: <script>alert(1)</script>\n---",
        "<svg onload=alert(1)>",
        "[x](http://a.b 'onclick=1')",
        '$\\text{"#panic()}$',
    ],
)
def test_notebook_text_brings_no_script_and_no_raw_typst(tmp_path, text):
    page, document = both(f"# T\n\n## S\n\n{text}\n\n", tmp_path)
    assert_harmless(page)
    assert document.startswith(b"%PDF")


def test_an_svg_stays_a_picture_whatever_its_class(tmp_path):
    evil = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><a onclick="x()"/></svg>'
    (tmp_path / "a.svg").write_text(evil, encoding="utf-8")
    page = Page(typeset.html("# T\n\n## S\n\n![x](a.svg){.inline-svg}\n", tmp_path))
    assert_harmless(page)
    assert page.tags.count("img") == 1


def test_the_page_allows_its_own_script_only_and_no_remote_loads(tmp_path):
    page = Page(typeset.html("# T\n\n## S かな\n", tmp_path))
    contents = [value for tag, name, value in page.attributes if (tag, name) == ("meta", "content")]
    policy = next(value for value in contents if "default-src" in value)
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert (
        "default-src 'none'" in policy
        and re.findall("script-src ([^;]*);", policy) == [f"'sha256-{digest}'"]
        and "http" not in policy
        and "*" not in policy
    )
    assert ("html", "lang", "en") in page.attributes and "T" in page.text


def test_kana_travel_with_the_page_and_only_where_there_are_some(tmp_path):
    assert b"font/woff" in typeset.html("# T\n\n## S ゝ\n", tmp_path)
    assert b"font/woff" not in typeset.html("# T\n\n## S\n", tmp_path)


def test_a_table_of_many_rows_and_columns_is_typeset(tmp_path):
    import pandas as pd

    from helpers.show.exhibits import Table

    frame = pd.DataFrame(
        {f"column {k}": ["emnist_letters_bymerge / a_long_word"] * 120 for k in range(12)}
    )
    page, document = both("# T\n\n## S\n\n" + Table(frame, "c", "tbl-a")._markdown(), tmp_path)
    assert page.tags.count("tr") == 121 and len(re.findall(rb"/Type\s*/Page\b", document)) > 3


@pytest.mark.browser
@pytest.mark.skipif(
    not shutil.which("chromium"), reason="no Chromium here: the page was NOT opened in a browser"
)
@pytest.mark.parametrize("width", [390, 1300])
def test_a_browser_loads_nothing_says_nothing_and_never_scrolls_sideways(tmp_path, width):
    from playwright.sync_api import sync_playwright

    wide = (
        table(["a_very_long_word_that_cannot_be_broken_" * 4]) + "\n```\n" + "x" * 300 + "\n```\n\n"
    )
    wide += "$$" + "a + " * 60 + "a$$ {#eq-a}\n\n`" + "y" * 200 + "`"
    (tmp_path / "page.html").write_bytes(typeset.html("# T\n\n## S かな\n\n" + wide, tmp_path))
    said, asked = [], []
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.on("console", lambda message: said.append(message.text))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((tmp_path / "page.html").as_uri())
        page.click("nav a")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate("document.fonts.check('16px Kana', 'か')")
        browser.close()
    assert said == [] and [url for url in asked if not url.startswith(("file:", "data:"))] == []


# appendix


def output(kind, **fields):
    return nbformat.v4.new_output(kind, **fields)


def appendix(tmp_path, *outputs, source="f()", tags=()):
    node = nbformat.v4.new_notebook()
    text = "# T <script>alert(1)</script>\n\n@fig-gone [@nobody] ![x](https://x.org/a.png)\n\n"
    text += "<details><summary>Answer</summary>\n\nIt is *so*.\n\n</details>"
    node.cells = [
        nbformat.v4.new_markdown_cell(text),
        nbformat.v4.new_code_cell(source, outputs=list(outputs), metadata={"tags": list(tags)}),
    ]
    nbformat.write(node, tmp_path / "run.ipynb")
    report.page_of_run(tmp_path / "run.ipynb", tmp_path / "run.html")
    return Page((tmp_path / "run.html").read_bytes())


def test_an_appendix_never_passes_html_through(tmp_path):
    data = {
        "text/html": "<script>alert(1)</script><b>bold</b>",
        "text/plain": "as text",
        "application/javascript": "alert(1)",
        "image/svg+xml": "<svg onload=alert(1)>",
    }
    markdown = {"text/markdown": "<img src=x onerror=alert(1)> [x](javascript:1)"}
    page = appendix(
        tmp_path, output("display_data", data=data), output("display_data", data=markdown)
    )
    assert_harmless(page)
    assert "as text" in page.text and "bold" not in page.text


def test_an_appendix_shows_an_error_legibly_and_folds_its_code(tmp_path):
    page = appendix(
        tmp_path,
        output("error", ename="E", evalue="bad", traceback=["\x1b[0;31mE\x1b[0m: bad", "in <f>"]),
        output("stream", name="stderr", text="careful\n"),
        output("stream", name="stdout", text="1/9\r9/9 done\n"),
    )
    assert page.tags.count("details") == 2 and "Answer" in page.text and "\x1b" not in page.text
    assert "E: bad\nin <f>" in page.text and "careful" in page.text
    assert "9/9 done" in page.text and "1/9" not in page.text


def test_an_appendix_embeds_images_and_has_no_remote_one(tmp_path):
    from PIL import Image

    content = io.BytesIO()
    Image.new("L", (4, 4)).save(content, "PNG")
    page = appendix(
        tmp_path,
        output("display_data", data={"image/png": base64.b64encode(content.getvalue()).decode()}),
    )
    assert_harmless(page)
    assert page.tags.count("img") == 1 and "image not shown" in page.text


def test_an_appendix_keeps_images_beside_the_notebook_svg_jpeg_and_formulas(tmp_path, monkeypatch):
    from PIL import Image

    contents = {kind: io.BytesIO() for kind in ("PNG", "JPEG")}
    for kind, content in contents.items():
        Image.new("L", (4, 4)).save(content, kind)
    png, jpeg = (base64.b64encode(one.getvalue()).decode() for one in contents.values())
    space = "http://www.w3.org/2000/svg"
    svg = f"<svg xmlns='{space}' width='9' height='9'><script>alert(1)</script></svg>"
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    files.save_bytes(tmp_path / "notebooks/some dir/a.svg", svg.encode())
    cell = nbformat.v4.new_markdown_cell(
        "![x](<some%20dir/a.svg>) <img width=9 src='some%20dir/a.svg' onerror='alert(1)'>"
        f" ![y](attachment:b.png) ![z](data:image/png;base64,{png}) ![no](../../../etc/passwd)"
    )
    cell.attachments = {"b.png": {"image/png": png}}
    forms = [{"image/svg+xml": svg}, {"image/jpeg": jpeg}, {"text/latex": r"$\displaystyle x^2$"}]
    forms += [{"text/html": '<img src="some%20dir/a.svg"/><script>alert(1)</script>'}]
    outputs = [output("display_data", data={"text/plain": "LOST", **form}) for form in forms]
    node = nbformat.v4.new_notebook(cells=[cell, nbformat.v4.new_code_cell("", outputs=outputs)])
    nbformat.write(node, tmp_path / "run.ipynb")
    report.page_of_run(tmp_path / "run.ipynb", tmp_path / "run.html")
    page = Page((tmp_path / "run.html").read_bytes())
    assert_harmless(page)
    assert page.tags.count("img") == 7 and page.tags.count("math") == 1
    assert "LOST" not in page.text and "image not shown: ../../../etc/passwd" in page.text


TABLE = "<table><tr><th></th><th>sum|b</th></tr><tr><td>1</td><td>2 &lt; 3</td></tr></table>"
HIDDEN = "<table><tr><td>1<script>alert(1)</script></td><td onclick='alert(1)'>2</td></tr></table>"


@pytest.mark.parametrize(
    "markup, cells",
    [
        (f"<div><style>td {{x: y}}</style>{TABLE}<p>2 rows</p></div>", 4),
        (TABLE.replace("<th></th><th>", "<th colspan=2>"), 3),
        ("<TABLE><TR><TD>only</TD></TR></TABLE>", 1),
        (HIDDEN, 2),
        (TABLE + TABLE, 8),
    ],
)
def test_an_appendix_shows_a_table_of_an_output_as_a_table(tmp_path, markup, cells):
    data = {"text/html": markup, "text/plain": "<IPython.core.display.HTML object>"}
    page = appendix(tmp_path, output("display_data", data=data))
    assert_harmless(page)
    assert page.tags.count("td") + page.tags.count("th") == cells
    assert "HTML object" not in page.text and ("sum|b" in page.text) == ("sum" in markup)


def test_an_empty_table_is_shown_as_the_text_beside_it(tmp_path):
    data = {"text/html": "<table></table>", "text/plain": "Empty DataFrame"}
    assert "Empty DataFrame" in appendix(tmp_path, output("display_data", data=data)).text


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"kernelspec": {}},
        {"kernelspec": None},
        {"kernelspec": {"display_name": ""}, "language_info": {}},
    ],
)
@pytest.mark.parametrize("cells", [[], [nbformat.v4.new_code_cell("6 * 7")]])
def test_a_page_needs_no_kernel_and_no_cells(tmp_path, metadata, cells):
    node = {**nbformat.v4.new_notebook(cells=cells), "metadata": metadata}
    (tmp_path / "run.ipynb").write_text(json.dumps(node))
    report.page_of_run(tmp_path / "run.ipynb", tmp_path / "run.html")
    page = Page((tmp_path / "run.html").read_bytes())
    assert "Run run" in page.text and ("6 * 7" in page.text) == bool(cells)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
        '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
    ],
)
def test_what_is_no_notebook_is_named_in_one_line(tmp_path, content):
    (tmp_path / "a.ipynb").write_text(content)
    with pytest.raises(paths.UserError, match="Cannot read the notebook .*a.ipynb"):
        report.page_of_run(tmp_path / "a.ipynb", tmp_path / "a.html")


@pytest.mark.parametrize("tags, opened", [((), 1), (("setup",), 0), (("figure",), 0)])
def test_code_that_teaches_stands_open_and_set_up_is_folded(tmp_path, tags, opened):
    page = appendix(tmp_path, tags=tags)
    assert sum((tag, name) == ("details", "open") for tag, name, _ in page.attributes) == opened


def test_a_damaged_notebook_is_named(tmp_path):
    (tmp_path / "a.ipynb").write_text("{")
    with pytest.raises(paths.UserError, match="a.ipynb"):
        report.page_of_run(tmp_path / "a.ipynb", tmp_path / "a.html")


def test_a_folder_with_braces_in_its_name_is_no_parameter(tmp_path):
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("6 * 7")])
    (tmp_path / "{braces}").mkdir()
    nbformat.write(node, tmp_path / "{braces}" / "a.ipynb")
    made = pages.execute(tmp_path / "{braces}" / "a.ipynb", {})
    assert made.cells[-1].outputs[0].data["text/plain"] == "42"


def test_a_users_own_ipython_settings_do_not_reach_the_report(tmp_path, monkeypatch):
    startup = tmp_path / "profile_default" / "startup" / "00.py"
    files.save_bytes(startup, b"import os\nos._exit(3)")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    write(tmp_path / "a.ipynb", ("6 * 7",))
    made = pages.execute(tmp_path / "a.ipynb", {})
    assert made.cells[-1].outputs[0].data["text/plain"] == "42"

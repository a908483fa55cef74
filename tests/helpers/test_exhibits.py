"""What notebooks show: the forms of tables, figures, prose and code."""

import io
from html.parser import HTMLParser

import pandas as pd
import pytest

from helpers.show import markup
from helpers.show.exhibits import Figure, Prose, Source, Table, plain
from helpers.store import paths

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
    "1. item",
    "<img src=x onerror=alert(1)>",
    "::: {.x}",
    "[l](javascript:alert(1))",
    "a\nb\x1b[31m",
    "*a* _b_ ~c~ ^d^",
]


@pytest.fixture
def png(tmp_path):
    from PIL import Image

    content = io.BytesIO()
    Image.new("L", (40, 80)).save(content, "PNG")
    path = tmp_path / "tall.png"
    path.write_bytes(content.getvalue())
    return path


def bundle(exhibit):
    return exhibit._repr_mimebundle_()


def tags(html):
    class Parser(HTMLParser):
        found = []

        def handle_starttag(self, tag, attributes):
            self.found.append(tag)

    parser = Parser()
    parser.found = []
    parser.feed(html)
    return set(parser.found)


def test_every_exhibit_has_an_html_and_a_markdown_form(png):
    frame = pd.DataFrame({"a": [1]})
    for exhibit in (
        Table(frame, "c", "tbl-a"),
        Figure(png, "c", "fig-a"),
        Prose("text"),
        Source(markup.plain),
    ):
        assert bundle(exhibit).keys() == {"text/html", "text/markdown", "text/plain"}


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_brings_no_tag_into_html(text):
    assert tags(bundle(Table(pd.DataFrame({text: [text]}), "c", "tbl-a"))["text/html"]) <= {
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_stays_one_cell_of_a_markdown_row(text):
    row = bundle(Table(pd.DataFrame({"a": [text], "b": [1]}), "c", "tbl-a"))[
        "text/markdown"
    ].splitlines()[3]
    assert row.replace(r"\|", "").count("|") == 3


def test_plain_text_loses_control_characters_and_line_breaks():
    assert plain("a\nb\x1b[31m\u202e") == r"a b \[31m"


def test_prose_in_a_cell_is_markdown_and_keeps_its_cell():
    markdown = bundle(Table(pd.DataFrame({"a": [Prose("`run` | *x*")]}), "c", "tbl-a"))[
        "text/markdown"
    ]
    assert r"| `run` \| *x* |" in markdown


def test_html_in_prose_is_escaped_for_jupyterlab():
    assert (
        "<script>"
        not in bundle(Prose("<script>alert(1)</script> and <b onclick=x>b</b>"))["text/html"]
    )


def test_numbers_get_thousands_equal_decimals_and_stand_right():
    table = Table(
        pd.DataFrame(
            {"n": [1234567, 2], "acc": [0.98, float("nan")], "s": [344.93, -2.0], "x": ["a", "b"]}
        ),
        "c",
        "tbl-a",
    )
    assert table.rows == [("1,234,567", "0.9800", "344.9", "a"), ("2", "–", "−2.0", "b")]
    assert table.align == "rrrl"


def test_text_with_deviation_stands_right_and_words_left():
    assert (
        Table(
            pd.DataFrame({"a": [".98 ± .01", "–"], "b": ["1st", "x"], "c": [None, None]}),
            "c",
            "tbl-a",
        ).align
        == "rll"
    )


def test_an_alignment_of_the_wrong_length_is_refused():
    with pytest.raises(paths.UserError, match="align"):
        Table(pd.DataFrame({"a": [1], "b": [2]}), "c", "tbl-a", align="l")


@pytest.mark.parametrize("label", ["a", "fig-a", "tbl-A b", "tbl-"])
def test_a_label_of_another_kind_is_refused(label):
    with pytest.raises(paths.UserError, match="label"):
        Table(pd.DataFrame({"a": [1]}), "c", label)


def test_a_tall_figure_is_made_narrow_enough_for_a_page(png):
    assert Figure(png, "c", "fig-a").width == "57.5%"
    assert Figure(png, "c", "fig-a", width="30%").width == "30%"


def test_a_figure_below_out_is_named_by_its_place_there(png, monkeypatch):
    monkeypatch.setattr(paths, "OUT", png.parent.resolve())
    assert "![](<tall.png>)" in bundle(Figure("tall.png", "c", "fig-a"))["text/markdown"]


def test_a_missing_figure_and_one_that_is_no_png_are_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<svg onload=alert(1)>")
    for name in ("a.png", "b.png"):
        with pytest.raises(paths.UserError, match=name):
            Figure(tmp_path / name, "c", "fig-a")


def test_source_is_read_without_importing_the_module():
    assert Source("helpers.show.markup:plain").code == Source(markup.plain).code
    with pytest.raises(paths.UserError, match="no_such"):
        Source("helpers.show.markup:no_such")


def test_a_fence_is_longer_than_any_inside_it():
    assert markup.fence("a\n````\nb", "output").startswith("````` {.output}\n")

"""What notebooks show: the forms of tables, figures, prose and code."""

import io
from html.parser import HTMLParser

import pandas as pd
import pytest

from helpers.show.exhibits import Figure, Prose, Table, fence, plain, source
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


def test_tables_and_figures_have_an_html_form_and_all_exhibits_a_markdown_one(png):
    frame = pd.DataFrame({"a": [1]})
    for exhibit in (Table(frame, "c", "tbl-a"), Figure(png, "c", "fig-a")):
        assert bundle(exhibit).keys() == {"text/html", "text/markdown", "text/plain"}
    for exhibit in (Prose("text"), source(plain)):
        assert exhibit._repr_markdown_() and not hasattr(exhibit, "_repr_html_")


@pytest.mark.parametrize("text", EVIL)
def test_a_cell_brings_no_tag_into_html(text):
    assert tags(bundle(Table(pd.DataFrame({text: [text]}), "c", "tbl-a"))["text/html"]) <= {
        "table",
        "p",
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


def test_html_in_captions_and_notes_is_escaped_for_jupyterlab():
    evil = "<script>alert(1)</script> and <b onclick=x>b</b>"
    table = Table(pd.DataFrame({"a": [Prose(evil)]}), evil, "tbl-a", note=evil)
    assert "<script>" not in bundle(table)["text/html"] and "<b " not in bundle(table)["text/html"]


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


def test_a_chart_has_the_size_that_its_file_says(tmp_path):
    svg = b'<svg xmlns="http://www.w3.org/2000/svg" width="100pt" height="230pt"></svg>'
    (tmp_path / "tall.svg").write_bytes(svg)
    shown = Figure(tmp_path / "tall.svg", "c", "fig-a")
    assert shown.width == "50%" and "data:image/svg+xml;base64," in bundle(shown)["text/html"]


def test_a_missing_figure_and_one_of_another_kind_are_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "c.svg").write_bytes(b"<html><svg width='1pt' height='1pt'>")
    for name in ("a.png", "b.png", "c.svg"):
        with pytest.raises(paths.UserError, match=name):
            Figure(tmp_path / name, "c", "fig-a")


def test_source_shows_a_function_with_the_private_ones_that_it_calls():
    from helpers import models

    code = source(models.carlosnet).markdown
    assert code.startswith("```python\ndef carlosnet(") and "def _network" not in code


def test_a_fence_is_longer_than_any_inside_it():
    assert fence("a\n````\nb", "output").startswith("`````output\n")

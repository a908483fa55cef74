"""The words of the report say what the records say: guards, slots, and what happens to a text whose
guard fails."""

import copy
import re

import nbformat
import pytest

from helpers import results, runs
from helpers.store import paths
from helpers.store.paths import UserError
from report import claims, pages, vocabulary, words

SOURCE = nbformat.read(paths.REPORT_SOURCE / "report.ipynb", as_version=4)
GUARDED = [
    (number, guard[2])
    for number, cell in enumerate(SOURCE.cells)
    if cell.cell_type == "markdown"
    and (guard := words.GUARD.match(cell.source))
    and guard[1] == "when"
]


def filled(*texts, profile="full"):
    cells = [nbformat.v4.new_markdown_cell(text) for text in texts]
    node = nbformat.v4.new_notebook(cells=cells)
    failed = words.fill(node, profile)
    return [cell.source for cell in node.cells], failed


@pytest.fixture
def world(monkeypatch):
    """The full edition's records and register, which a test may alter before words are filled."""
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    known = results.load_all("full")
    register = claims.files.load_json(paths.report("full") / "claims.json")
    held = {"records": copy.deepcopy(known), "register": copy.deepcopy(register)}
    monkeypatch.setattr(vocabulary.results, "load_all", lambda _: held["records"])
    monkeypatch.setattr(vocabulary.files, "load_json", lambda _: held["register"])
    return held


def test_a_slot_takes_the_place_of_a_number_and_a_guard_is_not_shown(world):
    texts, failed = filled('<!-- when: n("mnist-mlp") > 1 -->\nIt has {{ n("mnist-mlp") }}.')
    assert texts == [f"It has {len(world['records']['mnist-mlp']['seeds'])}."] and not failed


def test_a_paragraph_whose_guard_fails_gives_way_to_a_neutral_sentence_once(world):
    guard = '<!-- when: mean("mnist-mlp") > 2 -->\n'
    texts, failed = filled("## Digits", guard + "Best.", guard + "Again.", "## Next", "Stays.")
    assert texts == ["## Digits", words.NEUTRAL, "", "## Next", "Stays."]
    assert failed == [f'cell {k}: not so: mean("mnist-mlp") > 2' for k in (1, 2)]


def test_a_true_paragraph_stays_above_code_that_shows_nothing():
    texts = ["## A", "<!-- when: 2 > 1 -->\nSo it is.", "Here it is drawn:"]
    node = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_markdown_cell, texts)))
    node.cells[2:2] = [nbformat.v4.new_code_cell("nothing()")]
    node.cells += [nbformat.v4.new_code_cell("nothing()"), nbformat.v4.new_markdown_cell("## B")]
    words.fill(node, "full")
    kept = [cell.source for cell in pages._without_empty(node.cells)]
    assert "So it is." in kept and "Here it is drawn:" not in kept


def test_a_section_that_chose_a_text_for_the_edition_gets_no_neutral_sentence():
    texts, failed = filled("## A", "<!-- when: 1 > 2 -->\nNo.", "<!-- if: 2 > 1 -->\nShort.")
    assert texts == ["## A", "", "Short."] and len(failed) == 1


def test_a_section_that_keeps_one_guarded_paragraph_gets_no_neutral_sentence():
    texts, failed = filled("## A", "<!-- when: 1 > 2 -->\nNo.", "<!-- when: 2 > 1 -->\nYes.")
    assert texts == ["## A", "", "Yes."] and len(failed) == 1


def test_a_choice_between_editions_is_no_failure():
    texts, failed = filled('<!-- if: edition == "quick" -->\nA look.', "Always.")
    assert texts == ["", "Always."] and not failed


@pytest.mark.parametrize("text", ['{{ share("mnist-cnn") }}', '<!-- when: n("mnist-cnn") -->\nA.'])
def test_what_has_no_record_is_left_out(world, text):
    del world["records"]["mnist-cnn"]
    assert filled(text)[0][0] in ("", words.NEUTRAL)


@pytest.mark.parametrize(
    "wrong", ["{{ maen('mnist-mlp') }}", "{{ 1 + }}", "{{ __import__('os') }}", "{{ n.x }}"]
)
def test_a_slot_that_is_no_expression_of_this_vocabulary_stops_the_report(wrong, world):
    with pytest.raises(UserError, match=r"report\.ipynb, cell 0: .* cannot be evaluated"):
        filled(wrong)


def altered(held, how):
    """The records as they might have come out: every verdict and every accuracy otherwise."""
    for entry in held["register"]:
        entry |= {"verdict": how["verdict"], "difference": how["difference"]}
    for record in held["records"].values():
        for seed in record["seeds"]:
            seed |= {name: how["accuracy"] for name in seed if name.endswith("accuracy")}
            seed["single"] = dict.fromkeys(seed.get("single", {}), how["accuracy"])
            seed["transformed"] = dict.fromkeys(seed.get("transformed", {}), how["accuracy"])
            for point in seed.get("points", []):
                point |= {name: how["accuracy"] for name in point if name.endswith("accuracy")}
            seed["selection"] = dict.fromkeys(seed.get("selection", {}), 0.0)
    for record in held["records"].values():
        for trait in record["extra"].get("traits", {}).values():
            trait |= dict.fromkeys(trait, how["difference"])
        seeds = record["seeds"]
        more = [{**seed, "seed": seed["seed"] + 100} for seed in seeds]
        record["seeds"] = seeds[:1] if how["alone"] else seeds + more


WORLDS = [
    {"verdict": verdict, "difference": 0.0, "accuracy": accuracy, "alone": alone}
    for verdict in (claims.HOLDS, claims.FAILS, claims.CLOSE)
    for accuracy in (0.5, 1.0)
    for alone in (False, True)
]


def test_the_committed_records_bear_out_every_paragraph(world):
    assert not filled(*(cell.source for cell in SOURCE.cells if cell.cell_type == "markdown"))[1]


def test_each_guarded_paragraph_goes_when_records_are_otherwise(world, monkeypatch):
    monkeypatch.setattr(words.Words, "pairs", lambda *_: (25, 0, 0))
    monkeypatch.setattr(words.Words, "confused", lambda *_: (0.01, "a and b"))
    known, gone = copy.deepcopy(world), set()
    for how in WORLDS:
        world |= copy.deepcopy(known)
        altered(world, how)
        failed = filled(*(cell.source for cell in SOURCE.cells if cell.cell_type == "markdown"))[1]
        gone |= {line.split(": ", 2)[-1] for line in failed}
    assert {" ".join(guard.split()) for _, guard in GUARDED} <= gone


def test_no_paragraph_types_a_measured_number():
    """Percentages and counts come from records; what may be typed is a rule's or an example's."""
    allowed = re.compile(r"(95|5) %|9,900|98\.8|99\.2|10,000|60,000|21,600")
    for number, cell in enumerate(SOURCE.cells):
        if cell.cell_type == "markdown" and not cell.source.startswith("::: {#tbl-glossary"):
            text = allowed.sub("", words.SLOT.sub("", words.GUARD.sub("", cell.source)))
            assert not re.search(r"\d[\d.,]* ?%|\d[.,]\d", text), (number, text)


def test_a_verdict_on_a_claim_is_that_on_all_its_parts(world):
    for entry in world["register"]:
        if entry["key"] == "D2":
            entry["verdict"] = claims.HOLDS if entry["part"] == 1 else claims.CLOSE
    texts, _ = filled('{{ holds("D2.1") }}, {{ holds("D2") }}, {{ fails("D2") }}, {{ open("D2") }}')
    assert texts == ["True, False, False, True"]


def test_an_edition_of_ones_own_images_tells_of_no_course_report(world, monkeypatch):
    mine = {"notebook": "01_mlp_baseline", "report": "shapes", "about": "Mine.", "parameters": {}}
    monkeypatch.setitem(runs.table()["runs"], "mine", mine)
    own = {"kind": "own", "title": "Shapes", "name": "shapes"}
    world["records"] = {"mine": {"run": "mine", "dataset": own, "seeds": []}}
    assert vocabulary.Words("full").reports == {"shapes"} and not vocabulary.Words("full").rerun
    assert filled("<!-- if: rerun -->\nFive.", "<!-- if: not rerun -->\nOwn.")[0] == ["", "Own."]


def test_where_a_heading_is_left_out_the_texts_below_it_are_too(world):
    wrong = "<!-- when: 1 > 2 -->\n"
    below = ("<!-- if: 1 > 2 -->\n## B", wrong + "x", "y")
    texts, failed = filled("## A", *below, "## C", wrong + "z")
    assert texts == ["## A", "", "", "", "## C", words.NEUTRAL] and len(failed) == 2

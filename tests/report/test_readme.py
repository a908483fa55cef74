"""README and committed report show the committed records."""

import html
import re

from helpers import results, runs
from helpers.show import words
from helpers.store import paths
from report import courses, readme, tables

PLAIN = "fingers-ivannet-plain"
KINDS = ("official", "partial", "substitute")


def test_the_readme_shows_the_committed_records_and_nothing_else(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    between = text.split(readme.START)[1].split(readme.END)[0].strip()
    assert between == readme.results_table()
    for run, record in courses.of_all(results.load_all("full")).items():
        assert f"`{run}`" in between and record["dataset"]["title"] in between


def test_what_the_readme_links_to_is_there_and_the_commands_come_before_the_results():
    text = (paths.ROOT / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(([^)#:]+)\)", text))
    assert {"report/full/report.html", "report/full/report.pdf"} < links
    assert all((paths.ROOT / link).exists() for link in links)
    assert text.index("report.pdf") < text.index("make all") < text.index(readme.START)
    assert text[: text.index("make all")].count("\n") < 25, "the commands are on the first screen"


def test_the_lookup_below_the_readmes_picture_names_every_hand(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    lookup, network = (results.load("full", run) for run in ("audit-fingers", PLAIN))
    assert lookup["seeds"][0]["test_accuracy"] == 1, "the caption says so"
    assert network["reported"]["test_accuracy"] == 1 and network["parameter_count"] > 6e6


def test_signs_tell_part_of_the_images_and_other_images_from_the_official_ones(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    record = results.load("full", "mnist-mlp")
    kept = {kind: {**record, "dataset": {**record["dataset"], "kind": kind}} for kind in KINDS}
    titles = [tables.outcomes({"mnist-mlp": one})["Data"][0] for one in kept.values()]
    assert titles == ["MNIST", "MNIST †", "MNIST ‡"]
    after = (paths.ROOT / "README.md").read_text(encoding="utf-8").split(readme.END)[1][:600]
    assert all(sign.strip() in after for sign in courses.SIGNS.values())


def test_the_committed_report_shows_the_committed_records(monkeypatch):
    monkeypatch.setattr(paths, "OUT", paths.ROOT)
    page = (paths.report("full") / "report.html").read_text(encoding="utf-8")
    rows = [
        [
            " ".join(html.unescape(re.sub("<[^>]*>", "", cell)).split())  # no thin spaces
            for cell in re.findall("<t[dh].*?</t[dh]>", row, re.DOTALL)
        ]
        for row in re.findall("<tr.*?</tr>", page, re.DOTALL)
    ]
    for run, record in results.load_all("full").items():
        if runs.entry(run)["report"] not in ("audit", "study"):
            shown = words.share(record, "test_accuracy")
            assert any(
                row[:1] == [run] and shown in row and str(len(record["seeds"])) in row
                for row in rows
            ), f"{run}, {shown}: run `make report PROFILE=full`"


def test_the_readme_sets_experiments_apart_and_counts_the_runs_of_the_reports_only(
    tmp_path, monkeypatch
):
    def made(run):
        seeds = [{"test_accuracy": 0.98, "seconds": 10.0}]
        return {
            "run": run,
            "seeds": seeds,
            "parameters": {"profile": "full"},
            "parameter_count": 5,
            "dataset": {"kind": "official", "test": 10000, "title": "MNIST"},
        }

    monkeypatch.setattr(
        results,
        "load_all",
        lambda profile: {run: made(run) for run in runs.select() if run.startswith("mnist")},
    )
    first, apart = readme.results_table().split("Experiments of our own")
    assert (
        "`mnist-first-course`" not in first
        and "`mnist-first`" in first
        and "Not measured yet: `fashion-dense`" in first
    )
    assert "| `mnist-first-course` | `mnist-first` | MNIST | 98.00 % | 1 |" in apart
    monkeypatch.setattr(results, "load_all", lambda profile: {"mnist-mlp": made("mnist-mlp")})
    assert "Experiments" not in readme.results_table() and "-course" not in readme.results_table()

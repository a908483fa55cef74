"""The report: from result records to one HTML file and one PDF.

    python -m report --profile quick [--force]

report/report.ipynb is run with the profile as its parameter and typeset (see pages.py). It reads results and never
trains. Where nothing that it depends on has changed the report is left alone.
"""

import argparse
import hashlib
import os
import sys
import tempfile
from pathlib import Path

from helpers import integrity, runs
from helpers.store import locks, paths
from helpers.store.files import load_json, save_all, save_bytes, save_json, settle, sha256

NOTEBOOK = paths.REPORT_SOURCE / "report.ipynb"


def build(profile, force=False, say=print):
    """Write report/PROFILE/report.html and report.pdf, unless they are there and nothing they depend on has changed.

    Equal inputs give equal bytes. Returns the two paths. Raises UserError where the notebook fails or warns, a
    reference or citation leads nowhere, or a file cannot be written.
    """
    if profile not in runs.profiles():
        raise paths.UserError(
            f"Unknown profile {profile}. The profiles are: {', '.join(runs.profiles())}."
        )
    if not any((paths.results(profile) / f"{run}.json").exists() for run in runs.select()):
        raise paths.UserError(
            f"There are no results of profile {profile} to report on: `make all PROFILE={profile}` makes them."
        )
    targets = [paths.report(profile) / name for name in ("report.html", "report.pdf")]
    state, sources = paths.report(profile) / ".report.json", _sources(profile)
    now = {"sources": sources, "figures": _figures(profile), "files": _contents(targets)}
    if not force and load_json(state) == now:
        verb = "up to date"
    else:
        _tell_damage(profile, say)
        with locks.held(
            paths.report(profile) / ".report.lock",
            lambda holder: say(f"The report is being written by {holder}; waiting for it"),
        ):
            _make_pages(profile, say)
            figures = _write(profile, *targets)
            save_json(
                state,
                {"sources": _sources(profile), "figures": figures, "files": _contents(targets)},
            )
        verb = "written"
    if profile == "full" and paths.OUT == paths.ROOT:
        from report import readme

        if readme.write():
            say("README.md  its table of results, written")
    for target in targets:
        say(f"{_place(target)}  {target.stat().st_size / 1e6:.2f} MB, {verb}")
    return targets


def _tell_damage(profile, say):
    """Name what cannot be shown. The report stands without it until the grid has made it again."""
    for run in runs.select():
        for path in integrity.harmed(profile, run):
            say(
                f"{run}: {path} is damaged or was changed and is left out; `make all PROFILE={profile}` makes it again."
            )


def _make_pages(profile, say):
    """A page of every executed notebook that has none of its own yet: an older page is one of another execution."""
    from concurrent.futures import ThreadPoolExecutor

    folder = paths.executed(profile)
    for page in folder.glob("*.html"):
        if not page.with_suffix(".ipynb").exists():
            page.unlink()
    wanted = [
        path
        for path in sorted(folder.glob("[!.]*.ipynb"))
        if path.stem in runs.select() and not _newer(path.with_suffix(".html"), path)
    ]
    with ThreadPoolExecutor(2) as pool:
        for path, failure in zip(wanted, pool.map(_made, wanted)):
            if failure:  # the report does not link it
                say(f"{path.name}: no page of this notebook was made: {failure}")


def _newer(page, notebook):
    return page.exists() and page.stat().st_mtime_ns >= notebook.stat().st_mtime_ns


def _made(notebook):
    """Make one page; what stood against it, or None."""
    try:
        appendix(notebook, notebook.with_suffix(".html"))
    except paths.UserError as error:
        return str(error)
    return None


def appendix(notebook, page):
    """One self-contained HTML page from an executed notebook: outputs shown, code foldable, errors legible, no script.

    `notebook` is the path of an .ipynb file with outputs, `page` that of the HTML file, which is written atomically.
    """
    import nbformat

    from report import pages

    try:
        node = nbformat.read(notebook, as_version=4)
    except (OSError, ValueError, nbformat.reader.NotJSONError) as error:
        raise paths.UserError(f"Cannot read the notebook {notebook}: run it again.") from error
    with tempfile.TemporaryDirectory() as folder:
        text, run = pages.markdown(node, folder, code=True), Path(page).stem
        metadata = {"lenient": "true", "back": "true", "subtitle": f"Run {run}", "pagetitle": run}
        save_bytes(page, pages.html(text, folder, metadata))


def _write(profile, page, document):
    from concurrent.futures import ThreadPoolExecutor

    from report import pages

    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(2) as pool:
        folder = Path(name)
        node = pages.execute(NOTEBOOK, None, {"profile": profile})
        figures = _figures(profile)
        text = pages.markdown(node, folder)
        made = [pool.submit(pages.html, text, folder), pool.submit(pages.pdf, text, folder)]
        save_all(dict(zip((page, document), [one.result() for one in made])))
    return figures


def _sources(profile):
    """Hash of what the report is made from, save figures: records, its notebook and style, the helpers, the runs."""
    files = [paths.RUNS, paths.ROOT / "uv.lock", NOTEBOOK, *Path(__file__).parent.rglob("*.py")]
    files += [
        path for path in paths.REPORT_SOURCE.iterdir() if path.suffix in (".bib", ".json", ".yaml")
    ]
    files += [path for path in (paths.REPORT_SOURCE / "style").rglob("*") if path.is_file()]
    files += paths.results(profile).glob("*")
    appendices = sorted(path.name for path in paths.executed(profile).glob("*.html"))
    return _hash(files, " ".join(appendices))


def _figures(profile):
    return _hash((paths.OUT / "figures" / profile).rglob("*.png"))


def _hash(files, more=""):
    """One SHA-256 over the names and contents of files; times do not matter."""
    total = hashlib.sha256(more.encode())
    for path in sorted(set(files)):
        if path.is_file() and not path.name.startswith("."):
            total.update(f"{path.parent.name}/{path.name} {sha256(path)}\n".encode())
    return total.hexdigest()


def _contents(targets):
    return [sha256(target) if target.is_file() else None for target in targets]


def _place(path):
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def main(arguments=None):
    parser = argparse.ArgumentParser(
        prog="python -m report", description="Build the report from the records."
    )
    parser.add_argument("--profile", default="quick", help="smoke, quick (default) or full")
    parser.add_argument("--force", action="store_true", help="build it even if nothing has changed")
    options = parser.parse_args(arguments)
    settle()
    try:
        build(options.profile, options.force)
    except paths.UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0

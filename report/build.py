"""The report: from result records to one HTML file and one PDF.

    python -m report --profile quick [--force]

report/report.ipynb is run with the profile as its parameter (pages.py) and typeset (typeset.py); it
reads results and never trains. A page is made of each executed notebook too. Where nothing that it
depends on has changed the report is left alone.
"""

import argparse
import hashlib
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from helpers import results, runs
from helpers.store import locks, paths, startup
from helpers.store.files import load_json, save_all, save_bytes, save_json, sha256

NOTEBOOK = paths.setting("NOTEBOOK", "report/report.ipynb")
CODE = Path(__file__).parent


def build(profile, force=False, say=print):
    """Write report/PROFILE/report.html and report.pdf, unless they are there and true.

    Equal inputs give equal bytes. Returns the two paths. Raises UserError where the notebook fails
    or warns, a reference or citation leads nowhere, or a file cannot be written.
    """
    runs.sizes(profile)
    targets = [paths.report(profile) / name for name in ("report.html", "report.pdf")]
    state = paths.report(profile) / ".report.json"
    current = not force and load_json(state) == _state(profile, targets)
    if not current:
        if not results.load_all(profile):
            raise paths.UserError(
                f"There are no results of profile {profile} to report on: "
                f"`make all PROFILE={profile}` makes them, or says which run failed and why."
            )
        wait = "The report is being written by {}; waiting for it"
        with locks.held(state.with_suffix(".lock"), lambda holder: say(wait.format(holder))):
            _make(profile, targets, state, say)
    if profile == "full" and paths.OUT == paths.ROOT:
        from report import readme

        if readme.write():
            say("README.md  its table of results, written")
    for target in targets:
        size = target.stat().st_size / 1e6
        say(f"{target}  {size:.2f} MB, {'up to date' if current else 'written'}")
    return targets


def _make(profile, targets, state, say):
    """Pages of the runs, then the report; what they were made from is kept in the file `state`."""
    for run in runs.select():
        for path in results.harmed(profile, run):
            say(
                f"{run}: {path} is damaged or was changed and is left out; "
                f"`make all PROFILE={profile}` makes it again."
            )
    before = load_json(state)
    _make_pages(profile, before.get("pages", {}) if isinstance(before, dict) else {}, say)
    made_from = {"sources": _sources(profile), "pages": _notebooks(profile)}  # as it is now
    _write(profile, *targets, say)
    save_json(state, {**_state(profile, targets), **made_from})


def _write(profile, page, document, say):
    """Execute report.ipynb, fill its words and typeset it twice. In the complete edition a
    paragraph that the records do not bear out is an error."""
    from report import pages, typeset, words

    records = results.load_all(profile)
    whole = profile == "full" and set(records) == set(runs.select(profile=profile))
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        node = pages.execute(NOTEBOOK, {"profile": profile})
        failed = words.fill(node, profile)
        if whole and failed:  # the author must write these paragraphs anew
            raise paths.UserError(f"The report says what records do not: {'; '.join(failed)}.")
        if failed:
            say(f"{len(failed)} paragraphs do not follow from these records and are left out.")
        text = pages.markdown(node, folder)
        if "{#try " in text:
            shutil.copy(paths.models(profile) / "page.json", folder)
        about = {**_dated(records), **({} if whole else {"partial": "true"})}
        made = [pool.submit(make, text, folder, about) for make in (typeset.html, typeset.pdf)]
        save_all(dict(zip((page, document), [future.result() for future in made])))


def _dated(records):
    """What stands below the title: the project's version, and the day of the newest record."""
    from importlib.metadata import version

    newest = max((r["finished"] or "" for r in records.values()), default="")
    dated = {"date": newest[:10]} if newest else {}
    return {"version": version("keras-course-reports"), **dated}


def _make_pages(profile, before, say):
    """A page of every executed notebook, where none is there of this very execution.

    `before`: what `_notebooks` said when pages were last made. A page that fails is named, and the
    report does not link it.
    """
    from report.pages import one_line

    folder, now = paths.executed(profile), _notebooks(profile)
    for page in folder.glob("*.html"):
        gone = not page.with_suffix(".ipynb").exists()
        if gone or now.get(page.stem) != before.get(page.stem):
            page.unlink()
    wanted = [folder / f"{run}.ipynb" for run in now if not (folder / f"{run}.html").exists()]
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(page_of_run, path, path.with_suffix(".html")) for path in wanted]
    for notebook, future in zip(wanted, made):
        if error := future.exception():  # whatever is the matter with it, the report goes on
            why = one_line(error) or type(error).__name__
            say(f"{notebook.name}: no page of this notebook was made: {why}")


def page_of_run(notebook, page):
    """One self-contained HTML page from an executed notebook: code foldable, errors legible.

    `notebook` is the path of an .ipynb file with outputs, `page` that of the HTML file, which is
    written atomically. UserError where the notebook cannot be read.
    """
    import nbformat

    from report import pages, typeset

    unfit = (nbformat.ValidationError, nbformat.reader.NotJSONError)
    try:
        node = nbformat.read(notebook, as_version=4)
        node.metadata = nbformat.NotebookNode()  # of the kernel: no page needs it, however it looks
        nbformat.validate(node)
    except (*unfit, AttributeError, OSError, ValueError) as error:
        raise paths.UserError(f"Cannot read the notebook {notebook}: run it again.") from error
    with tempfile.TemporaryDirectory() as folder:
        text, run = pages.markdown(node, folder, code=True), Path(page).stem
        metadata = {"lenient": "true", "back": "true", "subtitle": f"Run {run}", "pagetitle": run}
        save_bytes(page, typeset.html(text, folder, metadata))


def _state(profile, targets):
    return {
        "sources": _sources(profile),
        "pages": _notebooks(profile),
        "figures": _figures(profile),
        "files": [sha256(target) if target.is_file() else None for target in targets],
    }


def _sources(profile):
    """Hash of records, list of runs, report.ipynb, style and code, and of the pages' names."""
    files = [paths.RUNS, paths.ROOT / "uv.lock", NOTEBOOK, *_style()]
    files += [*CODE.rglob("*.py"), *(paths.ROOT / "helpers").rglob("*.py")]
    files += [path for kind in ("bib", "json", "yaml") for path in CODE.glob(f"*.{kind}")]
    files += [*paths.results(profile).glob("*"), *paths.models(profile).glob("*")]
    pages = sorted(path.name for path in paths.executed(profile).glob("*.html"))
    return _hash(files, " ".join(pages))


def _notebooks(profile):
    """For each run with an executed notebook the hash of what its page is made from."""
    look = _hash([*_style(), CODE / "pages.py", CODE / "typeset.py"])
    notebooks = sorted(paths.executed(profile).glob("[!.]*.ipynb"))
    return {path.stem: _hash([path], look) for path in notebooks if path.stem in runs.select()}


def _figures(profile):
    return _hash((paths.OUT / "figures" / profile).rglob("*.[ps][nv]g"))


def _style():
    both = (CODE / "style").rglob("*"), (CODE / "try").rglob("*")
    return [path for folder in both for path in folder if path.is_file()]


def _hash(files, more=""):
    """One SHA-256 over the names and contents of files; times do not matter."""
    total = hashlib.sha256(more.encode())
    for path in sorted(set(files)):
        if path.is_file() and not path.name.startswith("."):
            total.update(f"{path.parent.name}/{path.name} {sha256(path)}\n".encode())
    return total.hexdigest()


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m report", description="Build the report from the records."
    )
    parser.add_argument("--profile", default="quick", help="smoke, quick (default) or full")
    parser.add_argument("--force", action="store_true", help="build it even if nothing has changed")
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        build(options.profile, options.force)
    except paths.UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0

"""What a finished run left behind, looked at before it is used: whatever was cut off or altered since is found and named.

Each file is checked by what was written with it: a record by its seal, predictions by the record, figures by PNG's own checksums, the executed
notebook and its page by RUN.sha256, which `sha256sum -c` reads too.
"""

import os

from helpers import results
from helpers.store import files, paths

KEPT = ("ipynb",)


def harmed(profile, run):
    """Paths of a run's files that are no longer what was written. Files that are not there do not count, save the predictions of a record."""
    record, path = results.load(profile, run), paths.results(profile) / f"{run}.json"
    found = [path] if path.exists() and not record else []
    if record and not results.whole(profile, record):
        found.append(path.with_suffix(".npz"))
    return found + harmed_figures(record) + harmed_notebooks(profile, run)


def harmed_figures(record):
    """Paths of a record's figures that are there and are no whole PNG files."""
    listed = [paths.OUT / entry["path"] for entry in (record or {}).get("figures") or ()]
    return [path for path in listed if path.exists() and not files.whole_png(path)]


def mend(names, profile):
    """Draw damaged figures of runs again where that takes a record and its predictions and no training."""
    for name in names:
        record = results.load(profile, name)
        if record and results.whole(profile, record):
            for path in harmed_figures(record):
                from helpers.show import figures

                if figures.redraw(record, path.stem):
                    print(f"{name}: {path} was damaged and is drawn again.", flush=True)


def tell(profile, run):
    """Name what is harmed of a run that will be made again. A notebook that is not as it was written is kept as RUN.changed.ipynb: someone may
    have worked in it.
    """
    for path in harmed(profile, run):
        print(f"  {run}: {path} is damaged or was changed; the run is made again.", flush=True)
        if path.suffix == ".ipynb":
            os.replace(path, path.with_suffix(".changed.ipynb"))


def note_notebook(profile, run):
    """Write RUN.sha256: what the executed notebook and its page are now."""
    kept = [path for path in _notebooks(profile, run) if path.exists()]
    files.save_bytes(
        _sums(profile, run),
        "".join(f"{files.sha256(path)}  {path.name}\n" for path in kept).encode(),
    )


def harmed_notebooks(profile, run):
    """The executed notebook and its page, where they differ from what RUN.sha256 tells; RUN.sha256 itself, where it cannot be read."""
    try:
        lines = _sums(profile, run).read_text(encoding="utf-8").splitlines()
        told = {name: digest for digest, name in (line.split("  ") for line in lines)}
    except (FileNotFoundError, NotADirectoryError):
        return []
    except ValueError:
        return [_sums(profile, run)]
    return [
        path
        for path in _notebooks(profile, run)
        if path.exists() and files.sha256(path) != told.get(path.name)
    ]


def _notebooks(profile, run):
    return [paths.executed(profile) / f"{run}.{kind}" for kind in KEPT]


def _sums(profile, run):
    return paths.executed(profile) / f"{run}.sha256"

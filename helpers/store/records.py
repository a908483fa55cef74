"""How a record lies on disk: RUN.json, RUN.npz beside it, and RUN.sha256, which tells what was
altered since. `results` passes it on; the grid looks here for what has to be made again."""

import numpy as np

from helpers.store import files, paths

FIELDS = (
    *("run", "notebook", "parameters", "dataset", "parameter_count", "network_sha256", "seeds"),
    *("extra", "reported", "versions", "hardware", "figures", "fingerprint", "finished"),
)


def load(profile, run):
    """The record of a run, or None where there is none or it is damaged (it is then made again)."""
    content = _content(profile, run)
    return None if content is None or harmed(profile, run) else content


def _content(profile, run):
    """A record as it lies there, or None where it lacks what every reader counts on."""
    content = files.load_json(paths.results(profile) / f"{run}.json")
    if not isinstance(content, dict) or not all(field in content for field in FIELDS):
        return None
    data, seeds = content["dataset"], content["seeds"]
    known = isinstance(data, dict) and {"kind", "sha256"} <= set(data)
    return content if known and isinstance(seeds, list) and seeds else None


def harmed(profile, run):
    """Paths of a run's record, predictions and weights that are not as they were written.

    Without RUN.sha256 (an older version's record, or one copied by hand) a record is taken as it
    is if it has its fields and its predictions beside it. An empty list where there is no record.
    """
    path = paths.results(profile) / f"{run}.json"
    if path.with_suffix(".sha256").exists():
        return files.harmed(path.with_suffix(".sha256"))
    missing = [] if path.with_suffix(".npz").exists() else [path.with_suffix(".npz")]
    unreadable = [] if _content(profile, run) else [path]
    return unreadable + missing if path.exists() else []


def predictions(profile, run):
    """The arrays of RUN.npz as a dict; what was not written twice is put back in its place."""
    with np.load(paths.results(profile) / f"{run}.npz", allow_pickle=False) as archive:
        arrays = dict(archive)
    for true, predicted, right in _twice(arrays):
        arrays[true] = np.where(right, arrays[predicted], arrays[true])
    return arrays


def without_repeats(arrays):
    """The arrays as they are written: where the prediction is right, the true class's
    log-probability is the predicted class's and is left out, which saves a third.

    ValueError where the two are not the same.
    """
    written = dict(arrays)
    for true, predicted, right in _twice(arrays):
        if not np.array_equal(arrays[true][right], arrays[predicted][right]):
            raise ValueError(f"{true} is not that of the prediction where the prediction is right")
        written[true] = np.where(right, np.zeros((), arrays[true].dtype), arrays[true])
    return written


def _twice(arrays):
    # Names of the log-probabilities of true and predicted class, and where the two are the same.
    return [
        (name, name.replace("true", "pred"), arrays["y_pred"] == arrays["y_true"])
        for name in arrays
        if name.startswith("logp_true")
    ]

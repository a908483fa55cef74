"""Result records: report/PROFILE/results/RUN.json, with the test predictions of every seed beside it in RUN.npz."""

import io
import os
import platform
import re
from datetime import UTC, datetime

import numpy as np

from helpers import runs
from helpers.store import files, paths

FIELDS = (
    "run",
    "notebook",
    "parameters",
    "dataset",
    "parameter_count",
    "network_sha256",
    "seeds",
    "extra",
    "reported",
    "versions",
    "hardware",
    "figures",
    "fingerprint",
    "finished",
)
UNSEALED = {
    *FIELDS,
    "layers",
    "predictions_sha256",
}  # what a record from before the seal may hold: another name is a damaged one
WEIGHTS_LIMIT = 100_000  # course reports' networks up to this many parameters leave the first seed's weights beside a `full` record


def record(parameters, data, parts, trained, outcomes, extra=None):
    """Gather a run's record and its predictions.

    `parameters` may be the notebook's `globals()`: only its parameters are taken. `outcomes` is the list of `evaluation.evaluate` results,
    one a seed; with `first_seed` above 0 they are added to those of the record that is there. Returns (record, predictions) ready for `save`.
    """
    from helpers.inspection import layer_table, network_sha256

    line = runs.entry(parameters["run"])
    values = {name: parameters[name] for name in runs.notebook_parameters(line["notebook"])}
    model = trained[0].model
    dataset = {
        key: data.meta.get(key)
        for key in (
            "name",
            "title",
            "kind",
            "sha256",
            "class_names",
            "classes",
            "split",
            "licence",
            "source",
        )
    }
    content = {
        "run": values["run"],
        "notebook": line["notebook"],
        "parameters": values,
        "dataset": {**dataset, "label": data.label, "asked": data.name, **parts.sizes},
        "parameter_count": model.count_params(),
        "network_sha256": network_sha256(model),
        "layers": layer_table(model),
        "seeds": [metrics for metrics, _ in outcomes],
        "extra": extra or {},
        "reported": line.get("reported", {}),
        "versions": versions(),
        "hardware": hardware(),
        "figures": [],
        "fingerprint": os.environ.get("RUN_FINGERPRINT")
        or runs.fingerprint(values["run"], values, data.meta["sha256"]),
    }
    found = {
        "y_true": parts.y_test.astype("uint8"),
        **{name: np.stack([one[name] for _, one in outcomes]) for name in outcomes[0][1]},
    }
    return _continued(content, found) if values.get("first_seed") else (content, found)


def _continued(content, found):
    """The record on disk with this one's seeds added; UserError if it is not the first part of the same run."""
    values = content["parameters"]
    before = load(values["profile"], content["run"])
    if (
        not before
        or before["fingerprint"] != content["fingerprint"]
        or [s["seed"] for s in before["seeds"]] != list(range(values["first_seed"]))
    ):
        raise paths.UserError(
            f"{content['run']}: there is no record of seeds 0 to {values['first_seed'] - 1} of this very run to add to; use first_seed = 0."
        )
    kept = predictions(values["profile"], content["run"])
    joined = {
        name: value if name == "y_true" else np.concatenate([kept[name], value])
        for name, value in found.items()
    }
    first = {
        name: before[name]
        for name in ("parameter_count", "network_sha256", "layers")
        if name in before
    }  # a search finds others with other seeds
    return {
        **content,
        **first,
        "seeds": before["seeds"] + content["seeds"],
        "parameters": {**values, "first_seed": 0},
    }, joined


def save(content, predictions, trained=()):
    """Write RUN.npz and RUN.json, under temporary names first, so that a full disk leaves the old pair; under `full` the weights of a small
    network's first seed too, unless the run stands beside another with the same network.

    A record from stand-in images never replaces one from real images: UserError.
    """
    profile, run = content["parameters"]["profile"], content["run"]
    folder = paths.results(profile)
    before = load(profile, run)
    if before and content["dataset"]["kind"] == "stand-in" != before["dataset"]["kind"]:
        raise paths.UserError(
            f"{folder / run}.json comes from real images, and this run used stand-ins: it is kept. Move it away first, or give OUT=DIR."
        )
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **_without_repeats(predictions))
    content = files.sealed(
        {
            **content,
            "figures": figures(content),
            "predictions_sha256": files.bytes_sha256(buffer.getvalue()),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
    )
    written = {
        folder / f"{run}.npz": buffer.getvalue(),
        folder / f"{run}.json": files.as_json(content),
    }
    if (
        profile == "full"
        and trained
        and trained[0].seed == 0
        and content["parameter_count"] <= WEIGHTS_LIMIT
        and "beside" not in runs.entry(run)
    ):
        buffer = io.BytesIO()
        np.savez_compressed(buffer, *trained[0].model.get_weights())
        written = {folder / f"{run}.weights.npz": buffer.getvalue(), **written}
    files.save_all(written)


def figures(content):
    """Path (below OUT) and caption of each figure that a run has drawn."""
    profile, run = content["parameters"]["profile"], content["run"]
    folder = paths.figures(profile, run)
    return [
        {"path": f"figures/{profile}/{run}/{name}.png", "caption": caption}
        for name, caption in sorted(_captions(folder).items())
        if (folder / f"{name}.png").exists()
    ]


def _captions(folder):
    found = files.load_json(folder / "index.json")
    found = found if isinstance(found, dict) else {}
    return {
        name: caption
        for name, caption in found.items()
        if re.fullmatch(r"[\w-]{1,99}", name) and isinstance(caption, str)
    }


def load(profile, run):
    """The record of a run, or None where there is none or it is damaged (it is then made again)."""
    content = files.load_json(paths.results(profile) / f"{run}.json")
    whole = (
        isinstance(content, dict)
        and all(field in content for field in FIELDS)
        and files.unharmed(content)
    )
    whole = whole and (files.SEAL in content or set(content) <= UNSEALED)
    whole = (
        whole
        and isinstance(content["dataset"], dict)
        and {"kind", "sha256"} <= set(content["dataset"])
    )
    return content if whole and isinstance(content["seeds"], list) and content["seeds"] else None


def whole(profile, content):
    """Whether the predictions that belong to a record lie beside it, unharmed."""
    path = paths.results(profile) / f"{content['run']}.npz"
    return path.exists() and files.sha256(path) == content.get("predictions_sha256")


def load_all(profile):
    """All records of an edition whose predictions are there and unharmed, a dict from run id, in the order of runs.yaml."""
    found = {run: load(profile, run) for run in runs.select()}
    return {run: content for run, content in found.items() if content and whole(profile, content)}


def predictions(profile, run):
    """The arrays of RUN.npz as a dict; what was not written twice is put back in its place."""
    with np.load(paths.results(profile) / f"{run}.npz", allow_pickle=False) as archive:
        found = dict(archive)
    return {
        name: np.where(_right(found), found[_twin(name)], value) if _twin(name) in found else value
        for name, value in found.items()
    }


def _without_repeats(arrays):
    # Where the prediction is right, the true class's log-probability is the predicted class's: written once, a file is a third smaller.
    for name, value in arrays.items():
        if _twin(name) in arrays and not np.array_equal(
            value[_right(arrays)], arrays[_twin(name)][_right(arrays)]
        ):
            raise ValueError(f"{name} differs from {_twin(name)} where the prediction is right")
    return {
        name: np.where(_right(arrays), np.zeros((), value.dtype), value)
        if _twin(name) in arrays
        else value
        for name, value in arrays.items()
    }


def _right(arrays):
    return arrays["y_pred"] == arrays["y_true"]


def _twin(name):
    return name.replace("logp_true", "logp_pred") if name.startswith("logp_true") else None


def comparable(content):
    """Whether a record may stand against a published figure: the official data, by the course report's own protocol."""
    return (
        content["dataset"]["kind"] == "official" and content["parameters"].get("profile") == "full"
    )


def median_seed(content, metric="test_accuracy"):
    """Index of the seed whose metric is the (lower) median: the one that figures and paired tests show."""
    values = [seed[metric] for seed in content["seeds"]]
    return int(np.argsort(values, kind="stable")[(len(values) - 1) // 2])


def mean_std(content, metric):
    """Mean and sample standard deviation over seeds of one metric; the deviation is None for a single seed."""
    values = [seed[metric] for seed in content["seeds"]]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def median(content, metric):
    """Median over seeds of one metric: for seconds, which a pause of one training would otherwise double."""
    return float(np.median([seed[metric] for seed in content["seeds"]]))


def network_size(content):
    """Parameters of a run's network as text, the smallest and the largest number where seeds have networks of their own (a search)."""
    counts = [seed.get("parameter_count", content["parameter_count"]) for seed in content["seeds"]]
    return (
        f"{min(counts):,}" if min(counts) == max(counts) else f"{min(counts):,} to {max(counts):,}"
    )


def versions():
    """Versions of what results depend on."""
    from importlib.metadata import PackageNotFoundError, version

    from helpers.store.backend import keras

    found = {"python": platform.python_version(), "backend": keras.backend.backend()}
    for package in (
        "keras",
        "tensorflow",
        "tensorflow-cpu",
        "jax",
        "torch",
        "numpy",
        "numba",
        "scipy",
        "keras-tuner",
    ):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue  # another back end's, or the other build of the same one
    return found


def hardware():
    """Processor, cores this process may use, threads a network gets, memory in GiB, accelerator."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = (
        os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        if hasattr(os, "sysconf")
        else None
    )
    return {
        "processor": _processor(),
        "cores": cores,
        "threads": int(os.environ.get("TF_NUM_INTRAOP_THREADS") or cores),
        "memory_gib": memory and round(memory, 1),
        "system": platform.system(),
        "accelerator": _accelerator(),
    }


def _processor():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(
                line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
            )
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _accelerator():
    from helpers.store.backend import keras

    if keras.backend.backend() == "jax":
        import jax

        return next(
            (device.device_kind for device in jax.devices() if device.platform != "cpu"), None
        )
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return next((device.name for device in tf.config.list_physical_devices("GPU")), None)
    import torch

    return torch.cuda.get_device_name() if torch.cuda.is_available() else None

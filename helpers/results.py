"""Result records: report/PROFILE/results/RUN.json, with RUN.npz, the test predictions, beside it.

Every notebook saves one; figures, tables, grid and report read them, as records or as frames.
RUN.sha256, which `sha256sum -c` reads, tells what was altered since.
"""

import os
from datetime import UTC, datetime

import numpy as np

from helpers import runs
from helpers.store import files, paths
from helpers.store.machine import hardware, versions
from helpers.store.records import FIELDS as FIELDS
from helpers.store.records import harmed as harmed
from helpers.store.records import load, predictions, without_repeats

PROVENANCE = "name title kind sha256 class_names classes split licence source".split()
# Networks up to this many parameters leave the first seed's weights beside a `full` record.
WEIGHTS_LIMIT = 100_000


def record(parameters, data, parts, trained, outcomes, extra=None):
    """Gather a run's record and its predictions: (record, predictions), ready for `save`.

    `parameters` may be the notebook's `globals()`: only its parameters are taken. `outcomes` is the
    list of `evaluation.evaluate` results, one a seed; with `first_seed` above 0 they are added to
    those of the record that is there.
    """
    from helpers.inspection import layer_table, network_sha256

    line, model = runs.entry(parameters["run"]), trained[0].model
    values = {name: parameters[name] for name in runs.notebook_parameters(line["notebook"])}
    made = {"versions": versions(), "hardware": hardware()}
    known = {key: data.meta.get(key) for key in PROVENANCE}
    content = {
        "run": values["run"],
        "notebook": line["notebook"],
        "parameters": values,
        "dataset": {**known, "label": data.label, "asked": data.name, **parts.sizes},
        "parameter_count": model.count_params(),
        "network_sha256": network_sha256(model),
        "layers": layer_table(model),
        "seeds": [{**metrics, **made} for metrics, _ in outcomes],
        "extra": extra or {},
        "reported": line.get("reported", {}),
        **made,
        "figures": [],
        "fingerprint": os.environ.get("RUN_FINGERPRINT")
        or runs.fingerprint(values["run"], values, data.meta["sha256"]),
    }
    arrays = {name: np.stack([arrays[name] for _, arrays in outcomes]) for name in outcomes[0][1]}
    arrays = {"y_true": parts.y_test.astype("uint8"), **arrays}
    return _continued(content, arrays) if values.get("first_seed") else (content, arrays)


def _continued(content, arrays):
    """The record on disk with this one's seeds added; UserError if it is not of the same run."""
    values, run = content["parameters"], content["run"]
    before, first = load(values["profile"], run), values["first_seed"]
    same = before and before["fingerprint"] == content["fingerprint"]
    if not same or [seed["seed"] for seed in before["seeds"]] != list(range(first)):
        raise paths.UserError(
            f"{run}: there is no record of seeds 0 to {first - 1} of this very run to add to; "
            "use first_seed = 0."
        )
    kept = predictions(values["profile"], run)
    for name in arrays.keys() - {"y_true"}:
        arrays[name] = np.concatenate([kept[name], arrays[name]])
    # A search finds another network with each seed: the record describes the first.
    described = ("parameter_count", "network_sha256", "layers")
    content |= {name: before[name] for name in described if name in before}
    seeds = before["seeds"] + content["seeds"]
    return {**content, "seeds": seeds, "parameters": {**values, "first_seed": 0}}, arrays


def save(content, predictions, trained=()):
    """Write RUN.npz, RUN.json and RUN.sha256, all or none; under `full` the weights of a small
    network's first seed too, unless the run stands beside another with the same network.

    A record from stand-in images never replaces one from real images: UserError.
    """
    profile, run = content["parameters"]["profile"], content["run"]
    path, before = paths.results(profile) / f"{run}.json", load(profile, run)
    if before and content["dataset"]["kind"] == "stand-in" != before["dataset"]["kind"]:
        raise paths.UserError(
            f"{path} comes from real images, and this run used stand-ins: it is kept. "
            "Move it away first, or give OUT=DIR."
        )
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    content = {**content, "figures": figures(content), "finished": finished}
    written = {path.with_suffix(".npz"): files.npz(**without_repeats(predictions))}
    weights, small = path.with_suffix(".weights.npz"), content["parameter_count"] <= WEIGHTS_LIMIT
    if trained and trained[0].seed == 0 and profile == "full" and small:
        if "beside" not in runs.entry(run):
            written[weights] = files.npz(*trained[0].model.get_weights())
    # Where seeds were added, the weights of the first one are as good as before.
    kept = weights.exists() and before and before["seeds"][0] == content["seeds"][0]
    also = [weights] if kept and weights not in written else []
    written[path] = files.as_json(content)
    files.save_all(written, manifest=path.with_suffix(".sha256"), also=also)
    if weights not in (*written, *also):
        weights.unlink(missing_ok=True)  # another training's


def figures(content):
    """Path (below OUT) and caption of each figure that a run has drawn, from its index.json."""
    profile, run = content["parameters"]["profile"], content["run"]
    folder = paths.figures(profile, run)
    index = files.load_json(folder / "index.json")
    index = index if isinstance(index, dict) else {}
    rows = []
    for path in sorted(folder.glob("*.[ps][nv]g")):
        entry = index.get(path.stem)
        caption = entry.get("caption") if isinstance(entry, dict) else entry
        if isinstance(caption, str):
            rows.append({"path": f"figures/{profile}/{run}/{path.name}", "caption": caption})
    return rows


def load_all(profile):
    """All whole records of an edition, a dict from run id, in the order of runs.yaml."""
    records = {run: load(profile, run) for run in runs.select(profile=profile)}
    return {run: content for run, content in records.items() if content}


def frame(profile):
    """A pandas frame with a row for each run and seed: what the run is, its parameters, the counts
    of images (`train`, `validation`, `test`), and every metric that is one value. Of a parameter
    and a metric with one name (`epochs`) it shows the metric."""
    import pandas as pd

    rows = []
    for run, content in load_all(profile).items():
        data, about = content["dataset"], {"run": run, "report": runs.entry(run)["report"]}
        about |= {"dataset": data["name"], "label": data["label"], "kind": data["kind"]}
        about |= {n: v for n, v in content["parameters"].items() if n not in about}
        about |= {n: data[n] for n in ("train", "validation", "test")}
        about["parameter_count"] = content["parameter_count"]
        for seed in content["seeds"]:
            single = {n: v for n, v in seed.items() if not isinstance(v, (dict, list))}
            rows.append({**about, **single})
    return pd.DataFrame(rows)


def epochs(content):
    """A pandas frame with a row for each seed and epoch of a record: seed, epoch (from 1), loss,
    accuracy, val_loss, val_accuracy."""
    import pandas as pd

    curves = [
        pd.DataFrame({"seed": seed["seed"], "epoch": range(1, len(h["loss"]) + 1), **h})
        for seed in content["seeds"]
        if (h := seed.get("history"))
    ]
    return pd.concat(curves, ignore_index=True) if curves else pd.DataFrame()


def history(profile, run):
    """`epochs` of the record of a run; UserError where there is none."""
    return epochs(_asked(profile, run))


def answers(profile, run):
    """A pandas frame with a row for each seed and test image: seed, image (its place), y_true,
    and whatever the predictions hold of it: y_pred, log-probabilities. UserError without record."""
    import pandas as pd

    content, arrays = _asked(profile, run), predictions(profile, run)
    truth, seeds = arrays.pop("y_true"), [seed["seed"] for seed in content["seeds"]]
    index = pd.MultiIndex.from_product([seeds, range(len(truth))], names=["seed", "image"])
    size = arrays["y_pred"].size
    columns = {name: value.ravel() for name, value in arrays.items() if value.size == size}
    columns = {"y_true": np.tile(truth, len(seeds)), **columns}
    return pd.DataFrame(columns, index).reset_index()


def _asked(profile, run):
    content = load(profile, run)
    if not content:
        raise paths.UserError(f"There is no record of {run} under {profile}: run `make all` first.")
    return content


def comparable(content):
    """Whether a record may stand against a published figure: official data, the full protocol."""
    full = content["parameters"].get("profile") == "full"
    return content["dataset"]["kind"] == "official" and full


def mean_std(content, metric):
    """Mean and sample standard deviation over seeds of one metric; None for a single seed's."""
    values = [seed[metric] for seed in content["seeds"]]
    return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def median(content, metric):
    """Median over seeds of one metric: for seconds, which a pause of one training would double."""
    return float(np.median([seed[metric] for seed in content["seeds"]]))


def network_size(content):
    """Parameters of a run's network as text, from the smallest to the largest where seeds have
    networks of their own (a search)."""
    counts = [seed.get("parameter_count", content["parameter_count"]) for seed in content["seeds"]]
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"

"""A trained network by the name of its run, and the images that it learnt from. Notebook 12, the
command, and `report.carried` call it."""

import base64
import os

import numpy as np

from helpers import datasets, results, runs
from helpers.store import files, paths
from helpers.store.paths import UserError

FULL = paths.ROOT / "report" / "full"  # the committed edition, wherever OUT may be
PROFILES = ("full", "quick", "lab", "smoke")


def carried():
    """The runs whose trained network comes with this repository, sorted."""
    return sorted(path.stem for path in (FULL / "models").glob("*.keras"))


def trained(run, profiles=PROFILES, shipped=True):
    """A run's trained network: (model, record, seed), `seed` being its entry of the record's seeds.

    The one that comes with the repository, unless `shipped` is False; else the first that lies
    beside a record or in data/trained and is of that very record. UserError where there is none,
    or where it is damaged.
    """
    from helpers import models

    if shipped and run in carried():
        return _carried(run)
    there = {profile: results.load(profile, run) for profile in profiles}
    for profile, record in there.items():
        for seed in record["seeds"] if record else ():
            network = getattr(models, record["parameters"].get("network", ""), None)
            weights = network and _weights(profile, run, record, seed)
            if weights:
                shape = [int(size) for size in record["layers"][0]["shape"].split(" x ")]
                model = network(shape, record["dataset"]["classes"])
                with np.load(weights, allow_pickle=False) as arrays:
                    model.set_weights([arrays[name] for name in arrays])
                return model, record, seed
    profile = profiles[0] if len(profiles) == 1 else "quick"
    setting = f"PROFILE={profile} " * (profile != "quick") + "FORCE=1 " * bool(there[profile])
    way = f"`make all {setting}RUNS={run}` trains it"
    if run not in runs.select():
        way = "runs.yaml has no such run; one of `make own` is found with OUT=own/NAME"
    elif "network" not in runs.notebook_parameters(runs.entry(run)["notebook"]):
        way = "its notebook builds networks that helpers/models.py has not"
    raise UserError(f"Run {run} has no trained network: {way}; carried are {', '.join(carried())}.")


def softened(model, temperature):
    """A trained network with its logits divided by the temperature: its last layer is. Where a
    network is sure to the last digit no gradient is left, and Grad-CAM sees nothing."""
    from helpers import keras

    soft, weights = keras.models.clone_model(model), model.get_weights()
    soft.set_weights(weights[:-2] + [array / temperature for array in weights[-2:]])
    return soft


def _carried(run):
    from helpers import keras

    network, about = FULL / "models" / f"{run}.keras", FULL / "models" / "models.json"
    record = FULL / "results" / f"{run}.json"
    manifests = about.with_suffix(".sha256"), record.with_suffix(".sha256")
    needed = {network, about, record, *manifests}
    if harmed := needed & {path for each in manifests for path in files.harmed(each)}:
        raise UserError(f"{harmed.pop()} is damaged: `git checkout` brings it back.")
    number, content = files.load_json(about)["networks"][run]["seed"], files.load_json(record)
    seed = next(each for each in content["seeds"] if each["seed"] == number)
    return keras.models.load_model(network, compile=False), content, seed


def _weights(profile, run, record, seed):
    """Path of the weights of a record's seed, or None where they are not kept."""
    beside = paths.results(profile) / f"{run}.weights.npz"
    if seed == record["seeds"][0] and beside.exists():  # in the record's manifest
        return beside
    stem = paths.trained(profile, run) / f"seed-{seed['seed']}"
    about = not files.harmed(stem.with_suffix(".sha256")) and files.load_json(f"{stem}.json")
    same = about and about["history"] == seed.get("history")  # else it is of another training
    return stem.with_suffix(".weights.npz") if same else None


def split(record):
    """The images of a record's run, a `batches.Split` as the run made it. UserError where these
    very images are not to be had."""
    from helpers import batches, watching

    data, values = record["dataset"], record["parameters"]
    drawn = data["kind"] == "stand-in"
    if os.environ.get("DATA") == "stand-in" and not drawn:
        raise UserError(f"DATA=stand-in asks for drawn images, and {data['label']} is none.")
    found = datasets.load(values["dataset"], mode="stand-in" if drawn else "real")
    if found.meta["sha256"] != data["sha256"]:
        raise UserError(f"{found.label}: these are other images than those of {record['run']}.")
    cut = batches.split if "validation_images" in values else watching.split
    sizes = ("train_images", "validation_images", "test_images")
    return cut(found, **{name: values[name] for name in sizes if name in values})


def learnt(record):
    """`split`, or None and a line that says why where the images are not to be had."""
    try:
        return split(record)
    except UserError as error:
        print(f"Without the training images nothing is compared with them. {error}")
        return None


def examples(record, parts=None):
    """Test images of a record's data set, uint8 (n, height, width), and their labels (n,): those
    that come with the repository, or else the first of `parts`. UserError where neither is there.
    """
    path = FULL / "models" / "page.json"
    if path in files.harmed(path.with_name("models.sha256")):
        raise UserError(f"{path} is damaged or missing: `git checkout` brings it back.")
    for each in files.load_json(path)["sets"]:
        if each["data"] == record["dataset"]["label"]:
            pixels = np.frombuffer(base64.b64decode(each["images"]), "uint8")
            return pixels.reshape(-1, 28, 28), np.array(each["labels"])
    if parts is None:
        raise UserError(f"No images of {record['dataset']['label']} are here: see data/README.md.")
    return parts.x_test[:24, ..., 0], parts.y_test[:24]

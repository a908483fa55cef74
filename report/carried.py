"""The trained networks that the full edition carries: files of Keras, a card each, and what the
report's page needs so that they answer in a reader's browser.

    python -m report.carried

makes report/full/models anew. It needs the images, and of each run a trained network, in
data/trained or among the results: not the best of several, but the first that is there.
"""

import base64
import json
import tempfile
from pathlib import Path

import numpy as np

from helpers import results, runs, statistics
from helpers.show import words
from helpers.store import files, paths, startup

FOLDER = paths.models("full")
# For the page: title, one of them, the rule of `predict.prepare` (none: it cannot be drawn), runs.
SETS = (
    ("Digits", "digit", "mass", ("mnist-dense-100", "mnist-first", "mnist-second-v1")),
    ("Letters", "letter", "box", ("emnist-small-letters",)),
    ("Clothes", "piece", None, ("fashion-dense", "fashion-cnn-2x50")),
)
ALONE = ("k49-tuned", "fingers-carlosnet-plain")  # files and cards alone
STEPS = {"Conv2D": "convolve", "MaxPooling2D": "pool", "Dense": "dense"}
LARGE = 280  # pixels a side, to which test images are redrawn
HARD = 10  # test images of a set on which its networks disagree, or a single one is wrong


def main():
    """Write files, cards, page.json, answers.json (Keras's, for a test) and models.json."""
    startup.settle()
    written, measured, page, answers = {}, {}, {"sets": [], "networks": {}}, {}
    for title, one, rule, names in (*SETS, *(("", "", None, (run,)) for run in ALONE)):
        logp = {}
        for run in names:
            model, about, parts = trained(run)
            written[FOLDER / f"{run}.keras"] = _file(model)
            model.set_weights([w.astype("float16").astype("float32") for w in model.get_weights()])
            logp[run], found = measure(model, parts, rule)
            measured[run] = about | found
            written[FOLDER / f"{run}.md"] = card(run, measured[run]).encode()
            if title:
                page["networks"][run] = _about(run, measured[run]) | packed(model)
        if title:
            chosen = examples(parts.y_test, logp)
            page["sets"].append(_set(title, one, rule, names, parts, chosen))
            answers |= {run: np.exp(logp[run][chosen]).round(7).tolist() for run in names}
    models = {"networks": measured, "lost": lost(measured)}
    for name, content in (("page", page), ("answers", answers), ("models", models)):
        text = json.dumps(content, indent=1 if name == "models" else None, ensure_ascii=False)
        written[FOLDER / f"{name}.json"] = f"{text}\n".encode()
    files.save_all(written, manifest=FOLDER / "models.sha256")


def lost(found):
    """Accuracy lost at most by redrawing, in each set, and lost or won by rounding, in all."""
    rounded = max(abs(each["accuracy"] - each["rounded"]) for each in found.values())
    redrawn = {}
    for title, _, _, names in (each for each in SETS if each[2]):
        gaps = [found[run]["rounded"] - min(found[run]["redrawn"].values()) for run in names]
        redrawn[title] = max(gaps)
    return {"rounded": rounded, "redrawn": redrawn}


def measured(profile):
    """What models.json says of the networks that an edition carries; {} where there are none."""
    path = paths.models(profile) / "models.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def trained(run):
    """A run's trained network, (model, about, parts): `about` has its run, its seed and its test
    accuracy, checked against the record. UserError where none is kept, or it is another one."""
    from helpers import evaluation, predict

    model, record, seed = predict.trained(run, ["full"], shipped=False)
    parts, recorded = predict.split(record), seed["test_accuracy"]
    accuracy = evaluation.accuracy(evaluation.log_probabilities(model, parts.x_test), parts.y_test)
    if abs(accuracy - recorded) > 1e-9:
        fault = f"its trained network is right on {accuracy:.4f}, and recorded is {recorded:.4f}"
        raise paths.UserError(f"{run}: {fault}: `make all PROFILE=full FORCE=1 RUNS={run}`.")
    return model, {"seed": seed["seed"], "accuracy": accuracy}, parts


def _file(model):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        model.save(path)
        return path.read_bytes()


def measure(model, parts, rule):
    """Test accuracies of a network with rounded weights: (log-probabilities (n, classes), dict).

    The dict has `rounded`; `shifted`, by 2 pixels of 28 in one of four directions; and where a rule
    of preparation is given `redrawn`, of test images enlarged by two filters and prepared."""
    from PIL import Image

    from helpers import augmentation, evaluation, predict

    def accuracy(images):
        return evaluation.accuracy(evaluation.log_probabilities(model, images), parts.y_test)

    images, logp = parts.x_test, evaluation.log_probabilities(model, parts.x_test)
    moved = augmentation.changed(images, "shift", 2)
    found = {"rounded": evaluation.accuracy(logp, parts.y_test), "shifted": accuracy(moved)}
    for name in ("nearest", "bilinear") if rule else ():
        size = (LARGE, LARGE), Image.Resampling[name.upper()]
        large = (Image.fromarray(image).resize(*size) for image in images[..., 0])
        again = np.stack([predict.prepare(image, rule) for image in large])
        found.setdefault("redrawn", {})[name] = accuracy(again[..., None])
    return logp, found


def packed(model):
    """A network for the page: `layers`, each a dict that report/try/networks.js reads, and all
    `weights` in their order as float16, little-endian, base64."""
    layers, content = [], b""
    for layer in model.layers:
        kind, weights = type(layer).__name__, layer.get_weights()
        if kind in ("Rescaling", "Flatten", "Dropout"):
            continue  # the page scales to [0, 1]; a tensor is flat already; nothing is dropped
        window = getattr(layer, "kernel_size", getattr(layer, "pool_size", (0,)))
        activation = getattr(getattr(layer, "activation", None), "__name__", "")
        about = {"step": STEPS[kind], "size": window[0], "relu": activation == "relu"}
        about["same"] = getattr(layer, "padding", "") == "same"
        layers.append({**about, "counts": [array.size for array in weights]})
        content += b"".join(array.astype("<f2").tobytes() for array in weights)
    return {"layers": layers, "weights": base64.b64encode(content).decode()}


def examples(labels, logp):
    """Places of the test images for the page: the first of each class, then `HARD` on which the
    networks disagree, or where there is one, on which it is wrong. logp: a dict of (n, classes)."""
    first = [int(np.argmax(labels == each)) for each in np.unique(labels)]
    found = np.stack([values.argmax(axis=1) for values in logp.values()])
    other = found if len(found) > 1 else np.stack([found[0], labels])
    hard = np.flatnonzero((other != other[0]).any(axis=0))
    return first + [int(place) for place in hard if place not in first][:HARD]


def _set(title, one, rule, names, parts, chosen):
    dataset = results.load("full", names[0])["dataset"]
    images = base64.b64encode(parts.x_test[chosen].tobytes()).decode()
    about = {"title": title, "one": one, "data": dataset["label"], "rule": rule}
    about |= {"classes": dataset["class_names"], "networks": list(names), "images": images}
    return about | {"labels": parts.y_test[chosen].tolist()}


def _about(run, found):
    record = results.load("full", run)
    temperature = round(_seed(record, found["seed"])["temperature"], 4)
    about = {"name": runs.title(run), "parameters": record["parameter_count"]}
    return about | {"temperature": temperature, "accuracy": found["rounded"]}


def _seed(record, seed):
    return next(each for each in record["seeds"] if each["seed"] == seed)


def card(run, found):
    """What one should know of a carried network, Markdown; `found` is its part of models.json."""
    from report.vocabulary import Words

    record, percent = results.load("full", run), words.percent
    data, seed = record["dataset"], _seed(record, found["seed"])
    names = data["class_names"]
    answers, (share, pairs) = results.predictions("full", run), Words("full").confused(run)
    recalls = statistics.recalls(answers["y_true"], answers["y_pred"][found["seed"]], len(names))
    images = statistics.wilson(found["accuracy"] * data["test"], data["test"])
    more = statistics.next_training([each["test_accuracy"] for each in record["seeds"]])
    redrawn = [f"{percent(value)} ({name})" for name, value in found.get("redrawn", {}).items()]
    rows = {
        "Use": f'`keras.models.load_model("{run}.keras")`: grey images, light on dark, uint8 '
        f"(n, {record['layers'][0]['shape'].replace(' x ', ', ')}), to {len(names)} probabilities",
        "Network": f"`{record['parameters']['network']}`, {record['parameter_count']:,} parameters",
        "Data": f"{data['label']}; {data['kind']}; split: {data['split']}; {data['licence']}",
        "Trained": f"on {data['train']:,} images, with {data['validation']:,} for validation; seed "
        f"{found['seed']} of the run's {len(record['seeds'])}, not chosen for its result",
        f"On {data['test']:,} test images": f"{percent(found['accuracy'])}, {_between(images)}",
        "Over seeds": f"{words.share(record, 'test_accuracy')}, one more training {_between(more)}",
        "Calibration": f"expected error {seed['ece']:.4f}; {seed['ece_scaled']:.4f} with logits "
        f"divided by the temperature, {seed['temperature']:.2f}",
        "Weights as float16": percent(found["rounded"]),
        "Images shifted": f"{percent(found['shifted'])}: by 2 pixels of 28, in four directions",
        f"Enlarged to {LARGE} pixels, prepared": ", ".join(redrawn) or "not measured",
        "Worst": ", ".join(f"{names[k]} {percent(recalls[k], 1)}" for k in np.argsort(recalls)[:3]),
        "Taken for each other": f"{pairs}: {percent(share, 0)} of all mistakes of all seeds",
    }
    table = "\n".join(f"| {name} | {text} |" for name, text in rows.items())
    return (
        f"# {run}: {runs.title(run)}, {data['title']}\n\n| | |\n|:--|:-----|\n{table}\n\n"
        "It answers with one of its classes whatever it is shown, and may be sure of images unlike "
        "any that it learnt from. It is for learning and teaching; let nothing be decided by it.\n"
    )


def _between(ends):
    return f"{words.percent(ends[0])} to {words.percent(ends[1])} (95 %)"


if __name__ == "__main__":
    main()

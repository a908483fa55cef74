"""What a network is made of: layers, shapes, parameters, multiplications. `training`, `results`."""

import hashlib
import json
import math
import re

from helpers.store.backend import keras


def layer_table(model):
    """A dict a layer: `layer`, output `shape`, `parameters`, `macs` (multiplications an image)."""
    return [
        {
            "layer": describe(layer),
            "shape": " x ".join(map(str, layer.output.shape[1:])),
            "parameters": layer.count_params(),
            "macs": _macs(layer),
        }
        for layer in model.layers
    ]


def describe(layer):
    """A layer in a few words: "Conv2D 32, 3x3, relu", "Dropout 0.25"."""
    kind, config = type(layer).__name__, layer.get_config()
    words = [str(config[key]) for key in ("filters", "units", "rate") if key in config]
    if "kernel_size" in config or "pool_size" in config:
        words.append("x".join(map(str, config.get("kernel_size") or config["pool_size"])))
    if config.get("padding") == "same":
        words.append("same")
    if config.get("activation") not in (None, "linear"):
        words.append(config["activation"])
    return f"{kind} {', '.join(words)}".strip()


def network_json(model):
    """The architecture as JSON, without compilation and the counters in Keras's layer names."""
    plain = {**json.loads(model.to_json()), "compile_config": {}}
    if not isinstance(model, keras.Sequential):
        plain = _numbered(plain, {})
    return re.sub(r'("name": "[a-z0-9_]*?)_\d+"', r'\1"', json.dumps(plain))


def _numbered(part, numbers):
    """Layers that name each other, as [name, node, output], named by their place in their network;
    `numbers` is a dict from name to place. No other text is touched: a layer may be called as a
    setting is, "activation"."""
    if isinstance(part, dict):
        if isinstance(part.get("layers"), list):  # a network, perhaps within another one
            names = [layer["config"]["name"] for layer in part["layers"]]
            numbers = {name: f"{number}" for number, name in enumerate(names)}
        named = isinstance(part.get("name"), str)
        more = {"name": numbers.get(part["name"], part["name"])} if named else {}
        return {key: _numbered(value, numbers) for key, value in part.items()} | more
    if isinstance(part, list):
        refers = len(part) == 3 and isinstance(part[0], str)
        first = [numbers.get(part[0], part[0])] if refers else []
        return first + [_numbered(value, numbers) for value in part[len(first) :]]
    return part


def network_sha256(model):
    """Hexadecimal SHA-256 of `network_json`: the same for networks built by the same code."""
    return hashlib.sha256(network_json(model).encode()).hexdigest()


def _macs(layer):
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:3])
    return 0


def without(model, *parts):
    """A fresh network like `model` that lacks some parts: its layers of "normalisation" or of
    "dropout", or its weight "penalty". ValueError for another word."""
    layer_of = {"normalisation": "BatchNormalization", "dropout": "Dropout", "penalty": None}
    if unknown := set(parts) - set(layer_of):
        raise ValueError(f"there is no part {unknown.pop()!r}, only {', '.join(layer_of)}")
    config = model.get_config()
    left_out = {layer_of[part] for part in parts}
    config["layers"] = [la for la in config["layers"] if la["class_name"] not in left_out]
    for layer in config["layers"]:
        if "penalty" in parts and "kernel_regularizer" in layer["config"]:
            layer["config"]["kernel_regularizer"] = None
    return keras.Sequential.from_config(config)

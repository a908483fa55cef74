"""What a network is made of: its layers, their shapes, parameters and multiplications, and a hash that names it."""

import hashlib
import math
import re

from helpers.store.backend import keras


def layer_table(model):
    """A list of dicts, one a layer: `layer`, output `shape` ("26 x 26 x 32"), `parameters`, `macs` (multiply-accumulates for one image)."""
    rows = []
    for layer in model.layers:
        shape = layer.output.shape[1:]
        rows.append(
            {
                "layer": describe(layer),
                "shape": " x ".join(map(str, shape)),
                "parameters": layer.count_params(),
                "macs": _macs(layer, shape),
            }
        )
    return rows


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
    """The network's architecture as JSON, without its compilation and without the counters that Keras adds to layer names."""
    return re.sub(
        r'("name": "[a-z0-9_]*?)_\d+"',
        r'\1"',
        keras.Sequential.from_config(model.get_config()).to_json(),
    )


def network_sha256(model):
    """Hexadecimal SHA-256 of `network_json`: two networks built by the same code have the same one."""
    return hashlib.sha256(network_json(model).encode()).hexdigest()


def _macs(layer, shape):
    if isinstance(layer, keras.layers.Dense):
        return math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        return math.prod(layer.kernel.shape) * shape[0] * shape[1]
    return 0

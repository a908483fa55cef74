"""What a trained network looks at: Grad-CAM, feature maps, its last hidden layer. For `show`."""

import numpy as np

from helpers.evaluation import outputs
from helpers.store.backend import keras


def gradcam(model, images, classes):
    """Heat maps (n, height, width) in [0, 1] of the last convolution: where in each uint8 image
    lies the evidence for class `classes[i]`.

    A channel weighs as much as the mean gradient of that class's log-probability over its map,
    negative evidence is cut off, and each map scaled to a maximum of 1 (Selvaraju et al. 2017).
    """
    features, head = _cut(model, _convolutions(model)[-1])
    maps = outputs(features, images)
    weights = _gradients(head, maps, np.asarray(classes)).mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def feature_maps(model, image):
    """Output (height, width, channels) of "convolution 1", ... for one uint8 image (h, w, 1)."""
    return {
        f"convolution {place}": outputs(_cut(model, index)[0], image[None])[0]
        for place, index in enumerate(_convolutions(model), 1)
    }


def plane(model, images):
    """The last hidden layer's outputs for uint8 images, on their two principal axes: (n, 2), and
    the share of variance that these two hold."""
    hidden = [
        index
        for index, layer in enumerate(model.layers[:-1])
        if layer.count_params() or isinstance(layer, keras.layers.Flatten)
    ]
    points = outputs(_cut(model, hidden[-1])[0], images).reshape(len(images), -1).astype("float64")
    points -= points.mean(axis=0)
    axes, strengths, _ = np.linalg.svd(points, full_matrices=False)
    held = (strengths[:2] ** 2).sum() / max((strengths**2).sum(), 1e-12)
    return axes[:, :2] * strengths[:2], float(held)


def _convolutions(model):
    return [i for i, layer in enumerate(model.layers) if isinstance(layer, keras.layers.Conv2D)]


def _cut(model, index):
    """The network up to and including layer `index`, and the rest of it; both share the weights."""
    start = keras.layers.Input(model.input_shape[1:], dtype="uint8")
    front = keras.Sequential([start, *model.layers[: index + 1]])
    start = keras.layers.Input(front.output_shape[1:])
    return front, keras.Sequential([start, *model.layers[index + 1 :]])


def _gradients(head, maps, classes):
    """Gradient of each image's log-probability of its class with respect to its maps."""
    labels = keras.ops.convert_to_tensor(classes.astype("int64"))[:, None]

    def evidence(values):
        chosen = keras.ops.take_along_axis(head(values, training=False), labels, axis=1)
        return keras.ops.sum(keras.ops.log(chosen + 1e-12))

    backend, values = keras.backend.backend(), keras.ops.convert_to_tensor(maps)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(values)
            total = evidence(values)
        return tape.gradient(total, values).numpy()
    if backend == "jax":
        import jax

        return np.asarray(jax.grad(evidence)(values))
    values = values.detach().requires_grad_(True)
    evidence(values).backward()
    return values.grad.cpu().numpy()

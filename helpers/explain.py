"""What a trained network looks at: Grad-CAM, feature maps, and its last hidden layer as points in a plane."""

import numpy as np

from helpers.store.backend import keras


def gradcam(model, images, classes):
    """Heat maps (n, height, width) in [0, 1] of the last convolution: where in each uint8 image lies the evidence for class `classes[i]`.

    The weight of a channel is the mean gradient of that class's log-probability over the map, negative evidence is cut off, and each map is scaled
    to a maximum of 1 (Selvaraju et al. 2017). The network needs a convolution.
    """
    last = max(
        index for index, layer in enumerate(model.layers) if isinstance(layer, keras.layers.Conv2D)
    )
    features, head = _cut(model, last)
    maps = features.predict(images, verbose=0)
    gradients = _gradients(head, maps, np.asarray(classes))
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    return heat / np.maximum(heat.max(axis=(1, 2), keepdims=True), 1e-12)


def feature_maps(model, image):
    """Output (height, width, channels) of every convolution for one uint8 image (height, width, 1), a dict from a layer's place in the stack."""
    found = {}
    for index, layer in enumerate(model.layers):
        if isinstance(layer, keras.layers.Conv2D):
            found[f"convolution {len(found) + 1}"] = _cut(model, index)[0].predict(
                image[None], verbose=0
            )[0]
    return found


def plane(model, images):
    """The last hidden layer's outputs for uint8 images, on their two principal axes: (n, 2), and the share of variance that these two hold."""
    dense = [
        index
        for index, layer in enumerate(model.layers[:-1])
        if layer.count_params() or isinstance(layer, keras.layers.Flatten)
    ]
    hidden = (
        _cut(model, dense[-1])[0]
        .predict(images, batch_size=100, verbose=0)
        .reshape(len(images), -1)
        .astype("float64")
    )
    hidden -= hidden.mean(axis=0)
    axes, strengths, _ = np.linalg.svd(hidden, full_matrices=False)
    points = axes[:, :2] * strengths[:2]
    return points, float((strengths[:2] ** 2).sum() / max((strengths**2).sum(), 1e-12))


def _cut(model, index):
    """The network up to and including layer `index`, and the rest of it; both share the weights."""
    front = keras.Sequential(
        [keras.layers.Input(model.input_shape[1:], dtype="uint8"), *model.layers[: index + 1]]
    )
    rest = keras.Sequential(
        [keras.layers.Input(front.output_shape[1:]), *model.layers[index + 1 :]]
    )
    return front, rest


def _gradients(head, maps, classes):
    """Gradient of each image's log-probability of its class with respect to its maps, on whatever back end is at work."""

    def evidence(values):
        probabilities = head(values, training=False)
        chosen = keras.ops.take_along_axis(
            probabilities, keras.ops.convert_to_tensor(classes.astype("int64"))[:, None], axis=1
        )
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

"""Evaluation: accuracy and loss on the three parts, log-probabilities of the test images, and how far the probabilities can be trusted."""

import numpy as np
from scipy.optimize import minimize_scalar

from helpers.batches import in_order
from helpers.statistics import TEMPERATURES
from helpers.store.backend import keras


def evaluate(trained, parts):
    """Measure a trained network on unaugmented images.

    Returns (metrics, predictions): metrics is one entry of a record's `seeds`; predictions holds (n,) arrays for the test images,
    `y_pred` uint8 and natural log-probabilities of the predicted and the true class, before and after temperature scaling, float16.
    """
    model = trained.model
    metrics = {"seed": trained.seed}
    logp = {}
    for part, images, labels in parts.each():
        logp[part] = log_probabilities(model, images)
        metrics[f"{part}_accuracy"] = accuracy(logp[part], labels)
        metrics[f"{part}_loss"] = nll(logp[part], labels) + penalty(model)
    temperature = fit_temperature(logp["validation"], parts.y_validation)
    scaled = scale(logp["test"], temperature)
    metrics.update(
        epochs=trained.epochs,
        seconds=trained.seconds,
        seconds_per_epoch=trained.seconds / trained.epochs,
        images_per_second=trained.images * trained.epochs / trained.seconds,
        history=trained.history,
        temperature=temperature,
        nll=nll(logp["test"], parts.y_test),
        ece=calibration_error(logp["test"], parts.y_test),
        nll_scaled=nll(scaled, parts.y_test),
        ece_scaled=calibration_error(scaled, parts.y_test),
    )
    return metrics, _predictions(logp["test"], scaled, parts.y_test)


def log_probabilities(model, images):
    """Natural log-probabilities, float32 (n, classes), of uint8 images (n, height, width, 1)."""
    probabilities = model.predict(in_order(images), verbose=0)
    return np.log(np.maximum(probabilities, np.finfo("float32").tiny))


def accuracy(logp, labels):
    """Share of images whose most probable class is the true one."""
    return float(np.mean(np.argmax(logp, axis=1) == labels))


def penalty(model):
    """The weight penalties that Keras adds to every loss of this network."""
    return float(sum(keras.ops.convert_to_numpy(term) for term in model.losses))


def nll(logp, labels):
    """Mean negative log-likelihood (cross-entropy) in nats. Not clipped: with TensorFlow, Keras's loss of a softmax network is computed from its
    logits (JAX and Torch clip probabilities at 1e-7, which hides the cost of sure mistakes)."""
    return -float(np.mean(_true(logp, labels), dtype="float64"))


def calibration_error(logp, labels, bins=15):
    """Expected calibration error: mean gap between confidence and accuracy over equal-width bins (Guo et al. 2017)."""
    confidence = np.exp(logp.max(axis=1), dtype="float64")
    correct = np.argmax(logp, axis=1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(index, correct, bins) - np.bincount(index, confidence, bins)
    return float(np.abs(gaps).sum() / len(labels))


def fit_temperature(logp, labels):
    """The temperature that minimises the negative log-likelihood of these (validation) images, between 0.05 and 20 (Guo et al. 2017)."""
    found = minimize_scalar(
        lambda t: nll(scale(logp, np.exp(t)), labels), bounds=np.log(TEMPERATURES), method="bounded"
    )
    return float(np.exp(found.x))


def scale(logp, temperature):
    """Log-probabilities (n, classes) after dividing them by a temperature and normalising again."""
    logits = logp / temperature
    logits = logits - logits.max(axis=1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))


def _true(logp, labels):
    return logp[np.arange(len(labels)), labels]


def _predictions(logp, scaled, labels):
    predicted = np.argmax(logp, axis=1)
    return {
        "y_pred": predicted.astype("uint8"),
        "logp_pred": _true(logp, predicted).astype("float16"),
        "logp_true": _true(logp, labels).astype("float16"),
        "logp_pred_scaled": _true(scaled, predicted).astype("float16"),
        "logp_true_scaled": _true(scaled, labels).astype("float16"),
    }


def nearest_neighbour(x_train, y_train, x_test, side=32):
    """Labels of the nearest training image (Euclidean, on images averaged down to some `side` pixels) for every test image, uint8 (n,)."""
    return np.asarray(y_train)[nearest(reduced(x_train, side), reduced(x_test, side))].astype(
        "uint8"
    )


def nearest(train, test, batch=500):
    """Index of the row of `train` (m, d) at the smallest Euclidean distance from each row of `test` (n, d), int64 (n,)."""
    squares = (train**2).sum(axis=1)
    return np.concatenate(
        [
            np.argmin(squares - 2 * test[start : start + batch] @ train.T, axis=1)
            for start in range(0, len(test), batch)
        ]
    )


def reduced(images, side):
    """Images (n, height, width[, 1]) averaged down by a whole factor to `side` pixels or a few more, as rows of floats in [0, 1], float32 (n, pixels)."""
    n, height, width = images.shape[:3]
    factor = max(1, height // side)
    height, width = (
        height - height % factor,
        width - width % factor,
    )  # a remainder at the edge is left out
    small = (
        np.asarray(images)
        .reshape(n, *images.shape[1:3])[:, :height, :width]
        .reshape(n, height // factor, factor, width // factor, factor)
        .mean(axis=(2, 4), dtype="float32")
    )
    return small.reshape(n, -1) / 255

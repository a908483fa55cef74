"""A trained network, judged: accuracy, loss, log-probabilities, calibration. All notebooks."""

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax, logsumexp

from helpers.batches import pieces
from helpers.statistics import TEMPERATURES
from helpers.store.backend import keras


def evaluate(trained, parts):
    """Measure a trained network on unaugmented images.

    Returns (metrics, predictions): metrics is one entry of a record's `seeds`; predictions holds
    (n,) arrays for the test images, `y_pred` uint8 and natural log-probabilities of the predicted
    and the true class, before and after temperature scaling, float16.
    """
    metrics, logp = {"seed": trained.seed}, {}
    for part, images, labels in parts.each():
        logp[part] = log_probabilities(trained.model, images)
        metrics[f"{part}_accuracy"] = accuracy(logp[part], labels)
        metrics[f"{part}_loss"] = nll(logp[part], labels) + penalty(trained.model)
    temperature = fit_temperature(logp["validation"], parts.y_validation)
    test, scaled, labels = logp["test"], scale(logp["test"], temperature), parts.y_test
    metrics |= {
        "epochs": trained.epochs,
        "seconds": trained.seconds,
        "seconds_per_epoch": trained.seconds / trained.epochs,
        "images_per_second": trained.images * trained.epochs / trained.seconds,
        "history": trained.history,
        "temperature": temperature,
        "nll": nll(test, labels),
        "ece": calibration_error(test, labels),
        "nll_scaled": nll(scaled, labels),
        "ece_scaled": calibration_error(scaled, labels),
    }
    predicted = np.argmax(test, axis=1)
    predictions = {"y_pred": predicted.astype("uint8")}
    for name, values in (("", test), ("_scaled", scaled)):
        predictions[f"logp_pred{name}"] = _of(values, predicted).astype("float16")
        predictions[f"logp_true{name}"] = _of(values, labels).astype("float16")
    return metrics, predictions


def outputs(model, images):
    """What a network makes of uint8 images (n, height, width, 1), batch by batch: (n, ...)."""
    # Not `predict`: it would trace the network once for each of up to sixteen batches.
    return np.concatenate([model.predict_on_batch(piece) for (piece,) in pieces(images)])


def log_probabilities(model, images):
    """Natural log-probabilities, float32 (n, classes), of uint8 images (n, height, width, 1)."""
    return np.log(np.maximum(outputs(model, images), np.finfo("float32").tiny))


def accuracy(logp, labels):
    """Share of images whose most probable class is the true one."""
    return float(np.mean(np.argmax(logp, axis=1) == labels))


def penalty(model):
    """The weight penalties that Keras adds to every loss of this network."""
    return float(sum(keras.ops.convert_to_numpy(term) for term in model.losses))


def nll(logp, labels):
    """Mean negative log-likelihood (cross-entropy) in nats; not clipped at 1e-7, as by JAX and
    Torch in Keras, which hides the cost of sure mistakes."""
    return -float(np.mean(_of(logp, labels), dtype="float64"))


def calibration_error(logp, labels, bins=15):
    """Expected calibration error, from confidence to accuracy in equal bins (Guo et al. 2017)."""
    confidence = np.exp(logp.max(axis=1), dtype="float64")
    correct = np.argmax(logp, axis=1) == labels
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    gaps = np.bincount(index, correct, bins) - np.bincount(index, confidence, bins)
    return float(np.abs(gaps).sum() / len(labels))


def fit_temperature(logp, labels):
    """The temperature that minimises the `nll` of these (validation) images (Guo et al. 2017)."""
    options = {"bounds": np.log(TEMPERATURES), "method": "bounded"}
    best = minimize_scalar(lambda t: nll(scale(logp, np.exp(t)), labels), **options)
    return float(np.exp(best.x))


def scale(logp, temperature):
    """Log-probabilities (n, classes) divided by a temperature and normalised again."""
    return log_softmax(logp / temperature, axis=1)


def vote(logps):
    """The soft vote: log of the mean probability, (n, classes), from log-probabilities of several
    networks (networks, n, classes)."""
    return logsumexp(logps, axis=0) - np.log(len(logps))


def halves(n):
    """Two disjoint halves of n images, arrays of places: one to fit stacking, one to judge it."""
    places = np.random.default_rng(0).permutation(n)
    return places[: n // 2], places[n // 2 :]


def stack(logps, labels):
    """Stacking (Wolpert 1992) with a weight a network and a bias a class, of the highest likelihood
    on these images. logps (networks, n, classes); returns (weights, biases) for `stacked`. Judge
    it on other images."""
    members, _, classes = logps.shape
    true = np.eye(classes)[labels]

    def cost(values):
        logp = stacked(logps, values[:members], values[members:])
        slope = (np.exp(logp) - true) / len(labels)
        return nll(logp, labels), np.r_[np.tensordot(logps, slope, 2), slope.sum(axis=0)]

    start = np.r_[np.full(members, 1 / members), np.zeros(classes)]
    found = minimize(cost, start, jac=True, method="L-BFGS-B").x
    return found[:members], found[members:]


def stacked(logps, weights, biases):
    """Log-probabilities (n, classes) of networks (networks, n, classes), stacked by `stack`."""
    return log_softmax(np.tensordot(weights, logps, 1) + biases, axis=1)


def diversity(first, second, labels):
    """How two networks differ: the share of images (n,) that they name differently, and the
    correlation of being wrong, None where one is always right or always wrong."""
    wrong = np.stack([first != labels, second != labels])
    varied = 0 < wrong[0].mean() < 1 and 0 < wrong[1].mean() < 1
    correlation = float(np.corrcoef(wrong)[0, 1]) if varied else None
    return {"disagreement": float(np.mean(first != second)), "correlation": correlation}


def _of(logp, labels):
    return logp[np.arange(len(labels)), labels]


def nearest_neighbour(x_train, y_train, x_test, side=32):
    """Label, uint8 (n,), of the training image nearest to each test image, at `side` pixels."""
    index = nearest(reduced(x_train, side), reduced(x_test, side))
    return np.asarray(y_train)[index].astype("uint8")


def nearest(train, test, batch=500):
    """Index, int64 (n,), of the row of `train` (m, d) nearest to each of `test` (n, d): Euclid."""
    squares, index = (train**2).sum(axis=1), []
    for start in range(0, len(test), batch):
        rows = test[start : start + batch]
        index.append(np.argmin(squares - 2 * rows @ train.T, axis=1))
    return np.concatenate(index)


def reduced(images, side):
    """Images (n, height, width[, 1]) averaged down by a whole factor to `side` pixels or a few
    more, as rows of floats in [0, 1], float32 (n, pixels). A remainder at the edge is left out."""
    n, height, width = images.shape[:3]
    factor = max(1, height // side)
    rows, columns = height // factor, width // factor
    images = np.asarray(images).reshape(n, height, width)[:, : rows * factor, : columns * factor]
    small = images.reshape(n, rows, factor, columns, factor).mean(axis=(2, 4), dtype="float32")
    return small.reshape(n, -1) / 255

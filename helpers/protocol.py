"""What choosing an epoch by the test images is worth. Notebook 07."""

import numpy as np


def selection(right, halves=500):
    """What choosing the best epoch on test images promises, and what it keeps on others.

    right: bool (epochs, n), whether the network was right after each epoch. The images are cut into
    random halves `halves` times; each half chooses the epoch in which it does best (the first of
    equals, as Keras's ModelCheckpoint does), and the other judges it. Fractions of images:
    `promised` and `kept` are the chosen epoch's lead over the last one on the choosing and on the
    judging half, `optimism` is its accuracy on the choosing half minus that on the judging one
    (each a mean; the first two with 2.5 % and 97.5 % quantiles over halves). `epoch` (from 1) and
    `lead` are those of the choice on all n images.
    """
    right = np.asarray(right, "float32")
    n = right.shape[1]
    first = np.tile(np.arange(n) < n // 2, (halves, 1))
    first = np.random.default_rng(0).permuted(first, axis=1).astype("float32") @ right.T
    first, second = first / (n // 2), (right.sum(axis=1) - first) / (n - n // 2)
    # Each half in both parts, so that what is easy in it cancels.
    chooses, judges = np.concatenate([first, second]), np.concatenate([second, first])
    best, each = np.argmax(chooses, axis=1), np.arange(2 * halves)
    whole = right.mean(axis=1, dtype="float64")
    content = {
        "halves": halves,
        "epoch": int(np.argmax(whole)) + 1,
        "lead": float(whole.max() - whole[-1]),
        "optimism": float(np.mean(chooses[each, best] - judges[each, best], dtype="float64")),
    }
    for name, half in (("promised", chooses), ("kept", judges)):
        lead = half[each, best] - half[:, -1]
        low, high = np.quantile(lead, [0.025, 0.975])
        content[name] = float(lead.mean(dtype="float64"))
        content |= {f"{name}_low": float(low), f"{name}_high": float(high)}
    return content

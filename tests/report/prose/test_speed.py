"""Short schedules: compared with the faithful ones only on the same images."""

import numpy as np

from helpers import results
from report.prose import speed

N = 1000


def run(name, wrong, epochs, batch_size=128, seeds=2, **dataset):
    """(record, predictions) of a run on MNIST: `wrong` wrong answers of 1,000 with every seed."""
    truth = np.arange(N) % 10
    answers = np.where(np.arange(N) < wrong, (truth + 1) % 10, truth)
    record = {
        "run": name,
        "parameters": {"profile": "full", "batch_size": batch_size},
        "versions": {"backend": "tensorflow"},
        "hardware": {"accelerator": None},
        "seeds": [
            {"seed": seed, "test_accuracy": 1 - wrong / N, "epochs": epochs, "history": {}}
            for seed in range(seeds)
        ],
        "dataset": {
            "sha256": "x",
            "train": 54000,
            "test": N,
            "label": "MNIST",
            "kind": "official",
            **dataset,
        },
    }
    return record, {
        "y_true": truth.astype("uint8"),
        "y_pred": np.stack([answers] * seeds).astype("uint8"),
    }


SLOW = run("mnist-mlp", 20, 20)


def test_nothing_is_compared_that_saw_other_images(monkeypatch):
    monkeypatch.setattr(results, "predictions", lambda profile, name: SLOW[1])
    for change in ({"sha256": "y"}, {"train": 8000}):
        fast = run("mnist-mlp-fast", 20, 6, **change)[0]
        [(_, _, gap)] = speed.compared({"mnist-mlp-fast": fast}, {"mnist-mlp": SLOW[0]}, "full")
        assert not gap or not gap["n"]


def test_table_and_summary_show_what_is_there(monkeypatch):
    held = {
        one[0]["run"]: one
        for one in (
            SLOW,
            run("mnist-mlp-fast", 19, 6),
            run("k49-tuned-fast", 30, 6, 256),
            run("fashion-dense-fast", 60, 5),
            run("fashion-dense", 20, 5),
            run("fingers-carlosnet-plain-fast", 90, 2, sha256="z"),
            run("fingers-carlosnet-plain", 0, 10),
        )
    }
    everything = {name: record for name, (record, _) in held.items()}
    fast = {name: record for name, record in everything.items() if name.endswith("-fast")}
    monkeypatch.setattr(results, "predictions", lambda profile, name: held[name][1])
    schedules = speed.compared(fast, everything, "full")
    rows = speed.schedule_table(schedules).rows
    assert [str(row[4]) for row in rows] == [
        "`mnist-mlp`",
        "`k49-tuned`",
        "`fashion-dense`",
        "`fingers-carlosnet-plain`",
    ] and rows[3][-1] == "-"
    assert (
        rows[0][-1].startswith("+0.10 [")
        and list(map(str, rows[1][5:])) == ["-", "-", "-"]
        and rows[2][-1].startswith("-4.00 [")
    )
    told = speed.summary(schedules)
    assert "show the networks 0.3 to 1 times as many images" in told
    assert speed.summary([]) == "" and "None of these runs" in speed.schedule_table([]).note

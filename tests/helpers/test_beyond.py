"""Beyond the five: votes and stacking, searches replayed on a table that is known."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax

from helpers import evaluation, inspection, show
from helpers.search import evolution, topologies
from helpers.store.backend import keras
from helpers.store.paths import UserError

# --- votes and stacking ---------------------------------------------------------------------------


def answers(members=3, n=400, classes=4, skill=(2.0, 1.0, 0.0), seed=0):
    """Log-probabilities of networks that know more or less, and the true classes."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    raw = rng.normal(size=(members, n, classes))
    raw[:, np.arange(n), labels] += np.array(skill)[:, None]
    return log_softmax(raw, axis=2), labels


def test_the_vote_is_the_mean_of_the_probabilities():
    logps, _ = answers()
    assert np.exp(evaluation.vote(logps)) == pytest.approx(np.exp(logps).mean(axis=0))


def test_the_halves_are_disjoint_and_hold_all_images():
    for n in (2, 7, 400):
        fitted, judged = evaluation.halves(n)
        assert not set(fitted) & set(judged) and sorted([*fitted, *judged]) == list(range(n))
        assert abs(len(fitted) - len(judged)) <= 1


def test_stacking_trusts_those_who_know_and_is_judged_on_other_images():
    logps, labels = answers(n=2000)
    fitted, judged = evaluation.halves(2000)
    weights, biases = evaluation.stack(logps[:, fitted], labels[fitted])
    assert weights[0] > weights[1] > weights[2] - 0.1 and abs(weights[2]) < 0.15
    stacked = evaluation.stacked(logps, weights, biases)
    assert np.exp(stacked).sum(axis=1) == pytest.approx(1)
    rivals = [evaluation.vote(logps), *logps]
    assert all(
        evaluation.nll(stacked[judged], labels[judged])
        < evaluation.nll(one[judged], labels[judged])
        for one in rivals
    )


def test_stacking_of_guesses_is_no_better_than_guessing_on_the_other_half():
    losses = []
    for seed in range(20):
        logps, labels = answers(n=300, skill=(0, 0, 0), seed=seed)
        halves = evaluation.halves(300)
        put = evaluation.stack(logps[:, halves[0]], labels[halves[0]])
        rows = [(evaluation.stacked(logps[:, half], *put), labels[half]) for half in halves]
        losses.append([evaluation.nll(*row) for row in rows])
    fitted, judged = np.mean(losses, axis=0)
    assert fitted < np.log(4) - 0.005 and judged > np.log(4) + 0.005


def test_diversity_counts_other_answers_and_errors_made_together():
    truth = np.array([0, 0, 1, 1])
    same = evaluation.diversity(np.array([0, 1, 1, 0]), np.array([0, 1, 1, 0]), truth)
    assert same == {"disagreement": 0.0, "correlation": pytest.approx(1)}
    apart = evaluation.diversity(np.array([0, 1, 1, 1]), np.array([1, 0, 1, 1]), truth)
    assert apart == {"disagreement": 0.5, "correlation": pytest.approx(-1 / 3)}
    assert evaluation.diversity(truth, np.array([0, 1, 1, 1]), truth)["correlation"] is None


def branched(filters=3, seed=0):
    image = keras.layers.Input((6, 6, 1), dtype="uint8")
    maps = keras.layers.Conv2D(filters, 3, padding="same")(keras.layers.Rescaling(1 / 255)(image))
    maps = keras.layers.Activation("relu")(maps)  # by name "activation", as a setting of the others
    maps = keras.layers.add([maps, keras.layers.Conv2D(filters, 3, padding="same")(maps)])
    return keras.Model(image, keras.layers.Flatten()(maps), name=f"branched_{seed}")


def voting(*filters):
    image = keras.layers.Input((6, 6, 1), dtype="uint8")
    members = [branched(*one)(image) for one in zip(filters, (0, 1))]
    return keras.Model(image, keras.layers.average(members))


@pytest.mark.parametrize("build, other", [(branched, [4]), (voting, [4, 4])])
def test_a_network_with_branches_has_one_name_however_many_were_built_before(build, other):
    given = [3] * len(other)
    keras.backend.clear_session()  # names are counted from here
    first, second, third = (inspection.network_sha256(build(*given)) for _ in range(3))
    assert first == second == third != inspection.network_sha256(build(*other))


# --- searches on a table --------------------------------------------------------------------------


def toy(n=60, noise=0.0, missing=()):
    """A table in which the accuracy is the higher, the more filters the first convolution has and
    the less dropout there is."""
    rng, rows = np.random.default_rng(0), []
    for number, topology in enumerate(topologies.sample()[:n]):
        value = 0.5 + 0.004 * topology["filters_1"] - 0.2 * topology["dropout"]
        value += 0.0001 * rng.permutation(n)[0]
        for seed in (0, 1):
            if (number, seed) not in missing:
                last = value + noise * rng.normal()
                accuracies = [last - 0.2, last - 0.1, last]
                rows.append([number, seed, *topology.values(), 1, 1, *accuracies, 1.0, "toy"])
    return pd.DataFrame(rows, columns=topologies.COLUMNS)


def test_topologies_without_all_seeds_are_left_out_and_the_first_ones_kept():
    evidence = evolution.Evidence(toy(10, missing=[(3, 1)]))
    assert evidence.last.shape == evidence.first.shape == (9, 2)
    assert evidence.genes.min() == 0 and evidence.genes.max() == 1
    assert len(evolution.Evidence(toy(10), limit=4).last) == 4
    with pytest.raises(UserError, match="trains more of them"):
        evolution.Evidence(toy(2, missing=[(1, 0)]))


@pytest.mark.parametrize("kind", evolution.SEARCHES)
def test_a_search_tries_nothing_twice_begins_like_the_others_and_keeps_its_budget(kind):
    evidence = evolution.Evidence(toy())
    tried = evolution.SEARCHES[kind](evidence, 0, np.random.default_rng(5), 40)
    spent, places = zip(*tried)
    assert len(set(places)) == len(places) and set(places) <= set(range(60))
    assert list(spent) == sorted(spent) and 37 <= spent[-1] <= 40
    if kind != "Hyperband":
        assert spent == tuple(range(1, 41))
        first = np.random.default_rng(5).permutation(60)[: evolution.POPULATION]
        assert places[: evolution.POPULATION] == tuple(first)


def test_hyperband_pays_for_epochs_and_goes_on_with_the_best_of_three():
    evidence = evolution.Evidence(toy(200))
    order = np.random.default_rng(5).permutation(200)
    tried = evolution.hyperband(evidence, 0, np.random.default_rng(5), 120)
    best = max(order[:3], key=lambda one: evidence.first[one, 0])
    assert tried[:3] == [(2, best), (3, order[3]), (4, order[4])]
    epochs = [11 * bracket + end for bracket in range(33) for end in (5, 8, 11)]
    assert [spent for spent, _ in tried] == [math.ceil(end / 3) for end in epochs if end <= 360]


def test_replayed_evolution_beats_random_search_where_genes_tell_the_accuracy():
    evidence = evolution.Evidence(toy(400))
    for found in evolution.replay(evidence, repeats=40, budget=120):
        means = {kind: values[:, 59].mean() for kind, values in found.items()}
        assert means["aging evolution"] < means["random search"]
        assert means["genetic algorithm"] < means["random search"]
        for kind, values in found.items():
            known = values[:, 2:]
            assert np.all(np.diff(known, axis=1) <= 1e-12), "the same topologies for all seeds"
            assert np.all(known >= -1e-12) and np.isnan(values[:, 0]).all() == (kind == "Hyperband")


def test_the_best_of_a_genetic_search_stays_a_parent(monkeypatch):
    monkeypatch.setattr(evolution, "TOURNAMENT", 1000)  # whoever is best is both parents
    evidence, bred, nearest = evolution.Evidence(toy(400)), [], evolution.Evidence.nearest
    best = np.random.default_rng(5).permutation(400)[0]
    evidence.last = evidence.last.copy()
    evidence.last[best] = 2.0  # one of the first generation; no child is as good
    watched = lambda self, genes, seen: bred.append(genes) or nearest(self, genes, seen)  # noqa: E731
    monkeypatch.setattr(evolution.Evidence, "nearest", watched)
    evolution.genetic_search(evidence, 0, np.random.default_rng(5), 200)
    alike = np.array(bred) == evidence.genes[best]
    assert alike[:18].mean() > 0.9 and alike[-18:].mean() > 0.9


def test_niching_keeps_a_genetic_search_from_becoming_all_alike(monkeypatch):
    evidence = evolution.Evidence(toy(600))

    def variety():
        tried = [
            evolution.genetic_search(evidence, 0, np.random.default_rng(seed), 150)[-54:]
            for seed in range(20)
        ]
        genes = [evidence.genes[[place for _, place in some]] for some in tried]
        return np.mean([np.abs(some[:, None] - some).mean() for some in genes])

    with_niches = variety()
    monkeypatch.setattr(evolution, "NICHE", 1e-9)
    assert with_niches > 1.15 * variety()


def test_a_search_that_has_seen_all_has_no_regret_and_a_lucky_one_pays():
    evidence = evolution.Evidence(toy(40))
    whole, seen = (f["random search"] for f in evolution.replay(evidence, repeats=4, budget=40))
    assert whole[:, -1] == pytest.approx(0) == evolution.floor(evidence)
    noisy = evolution.Evidence(toy(40, noise=0.05))
    lucky, seen = (f["random search"][:, -1] for f in evolution.replay(noisy, 4, 40))
    assert lucky.max() > 0.01 and seen == pytest.approx(0)
    assert lucky.mean() == pytest.approx(evolution.floor(noisy))
    for repeat, value in enumerate(lucky):
        leader = noisy.last[:, repeat % 2].argmax()
        best = noisy.last.mean(axis=1).max()
        assert value == pytest.approx(best - noisy.last[leader, 1 - repeat % 2])


def test_what_an_ingredient_brings_is_paired_over_the_seeds_and_kept_apart_by_name():
    rows = [("cycle", -0.03), ("penalty", 0.01)], [("cycle", -0.01), ("penalty", 0.01)]
    seeds = [{"left_out": [{"without": n, "difference": d} for n, d in some]} for some in rows]
    found = show.beyond.brought({"seeds": seeds}, "cycle")
    assert (found["n"], round(found["difference"], 9)) == (2, 0.02)
    assert found["low"] < 0 < found["high"]
    assert show.beyond.brought({"seeds": seeds}, "penalty")["difference"] == -0.01


def test_the_family_of_a_winner_is_told_apart_and_names_what_each_step_changed():
    def trial(name, score, parent=None, **values):
        return {"search": "evolution", "trial": name, "score": score, "values": values} | (
            {"parent": parent} if parent else {}
        )

    tried = [trial("0", 0.5, depth=1, pool=True), trial("1", 0.9, depth=2, pool=True)]
    tried += [trial("2", 0.7, "0", depth=1, pool=False), trial("3", 0.6, "0", depth=3, pool=True)]
    tried += [trial("4", 0.95, "2", depth=4, pool=False)]
    other = {**trial("9", 0.99), "search": "random search"}
    data = {"label": "MNIST", "kind": "official"}
    body = show.beyond.family.__wrapped__({"seeds": [{"trials": [other, *tried]}], "dataset": data})
    (axes,) = body.axes
    steps = [line for line in axes.lines if len(line.get_xdata()) == 2]
    red = [tuple(line.get_xdata()) for line in steps if line.get_color() == show.beyond.RED]
    assert len(steps) == 3 and red == [(1, 3), (3, 5)]
    assert [text.get_text() for text in axes.texts if text.get_text()] == [
        "pool: False",
        "depth: 4",
    ]

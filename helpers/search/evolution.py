"""Searches, evolution among them, replayed on the table of topologies. Notebook 10.

A replayed search costs no training: it looks a topology's accuracy up. Where evolution makes a
child that the table has not, the nearest topology that it has not looked up takes its place.
"""

import itertools

import numpy as np

from helpers.search.topologies import EPOCHS, GENES
from helpers.store.paths import UserError

POPULATION, TOURNAMENT, ELITE, NICHE = 20, 5, 2, 0.1


class Evidence:
    """The table as arrays: `genes` (n, genes), each from 0 to 1; accuracies on validation images
    `first` and `last`, after the first epoch and after all, (n, seeds). Topologies of which a seed
    is missing are left out; `limit` keeps so many of the first. UserError for fewer than two."""

    def __init__(self, table, limit=0):
        seeds = table["seed"].nunique()
        whole = table.groupby("topology").filter(lambda rows: len(rows) == seeds)
        numbers = whole["topology"].drop_duplicates().sort_values()[: limit or None]
        if len(numbers) < 2:
            remedy = "`.venv/bin/python notebooks/topologies/fill.py` trains more of them"
            raise UserError(f"The table has fewer than two whole topologies: {remedy}.")
        self.frame = whole[whole["topology"].isin(numbers)].sort_values(["topology", "seed"])
        one = self.frame.drop_duplicates("topology")
        ranks = one[GENES].rank(method="dense") - 1
        self.genes = (ranks / ranks.max().clip(lower=1)).to_numpy()
        names = "accuracy_1", f"accuracy_{EPOCHS}"
        self.first, self.last = (self.frame[n].to_numpy().reshape(len(one), -1) for n in names)

    def nearest(self, genes, seen):
        """The topology nearest to some genes, by their mean difference, that is not in `seen`."""
        distances = np.abs(self.genes - genes).mean(axis=1)
        distances[list(seen)] = np.inf
        return int(np.argmin(distances))


def random_search(evidence, seed, rng, budget):
    """Topologies drawn one after the other. Like the other searches it sees the accuracies of one
    `seed`, and returns what it tried, (evaluations spent, topology) in order."""
    return list(enumerate(rng.permutation(len(evidence.last))[:budget], 1))


def hyperband(evidence, seed, rng, budget):
    """Three topologies for one epoch, the best of them for all; then two for all epochs, and again
    (Li et al. 2018, for 3 epochs and a factor of 3). An evaluation is as many epochs as a row has;
    that of the table after the first epoch is what a shorter training would have reached."""
    tried, epochs = [], 0
    for five in rng.permutation(len(evidence.last))[: 5 * (len(evidence.last) // 5)].reshape(-1, 5):
        best = five[np.argmax(evidence.first[five[:3], seed])]
        ends = epochs + np.array([5, 8, 11])  # of each full training
        tried += zip(-(-ends // EPOCHS), (best, *five[3:]))
        epochs += 11
    return [one for one in tried if one[0] <= budget]


def aging_evolution(evidence, seed, rng, budget):
    """The child of the best of a few takes the place of the oldest: one gene is another's (Real et
    al. 2019). It begins with the topologies that random search draws first."""
    score = evidence.last[:, seed]
    looked = [int(one) for one in rng.permutation(len(score))[: min(POPULATION, budget)]]
    while len(looked) < budget:
        some = rng.choice(looked[-POPULATION:], min(TOURNAMENT, len(looked)), replace=False)
        child = evidence.genes[some[np.argmax(score[some])]].copy()
        gene = rng.integers(child.size)
        child[gene] = evidence.genes[rng.integers(len(score)), gene]
        looked.append(evidence.nearest(child, looked))
    return list(enumerate(looked, 1))


def genetic_search(evidence, seed, rng, budget):
    """Generations with niching and elitism, the kind of search of Baldominos et al. (2018): each
    parent wins a tournament by its accuracy above the population's worst, shared with all that are
    like it; each gene of a child is one of its parents', one in ten another's; the best stay."""
    score = evidence.last[:, seed]
    looked = [int(one) for one in rng.permutation(len(score))[: min(POPULATION, budget)]]
    population = np.array(looked)
    while len(looked) < budget:
        genes = evidence.genes[population]
        like = np.abs(genes[:, None] - genes).mean(axis=2) < NICHE
        fitness = (score[population] - score[population].min()) / like.sum(axis=1)
        children = []
        for _ in range(min(POPULATION - ELITE, budget - len(looked))):
            drawn = rng.integers(len(population), size=(2, TOURNAMENT))
            parents = genes[drawn[[0, 1], np.argmax(fitness[drawn], axis=1)]]
            child = np.where(rng.random(parents.shape[1]) < 0.5, *parents)
            other = evidence.genes[rng.integers(len(score))]
            child = np.where(rng.random(child.size) < 0.1, other, child)
            children.append(evidence.nearest(child, looked + children))
        elite = population[np.argsort(-score[population], kind="stable")[:ELITE]]
        looked, population = looked + children, np.array([*elite, *children])
    return list(enumerate(looked, 1))


SEARCHES = {
    "random search": random_search,
    "genetic algorithm": genetic_search,
    "aging evolution": aging_evolution,
    "Hyperband": hyperband,
}


def replay(evidence, repeats, budget):
    """Regret of repeated searches: how far what a search has found lies below the best topology of
    the table, a fraction; NaN before it found anything. Two dicts from kind to (repeats, budget).

    A search sees the accuracies of one seed, in every other repeat of another one. In the first
    dict what it found is judged by the mean of the other seeds, so that luck does not count, in the
    second by what it has seen. Repeats are paired: all searches of one begin with the same
    topologies.
    """
    best, kinds = evidence.last.mean(axis=1).max(), list(SEARCHES)
    regret, seen = ({kind: np.full((repeats, budget), np.nan) for kind in kinds} for _ in "12")
    for kind, repeat in itertools.product(kinds, range(repeats)):
        seed, leader = repeat % evidence.last.shape[1], None
        judged, score = _judged(evidence, seed), evidence.last[:, seed]
        for spent, one in SEARCHES[kind](evidence, seed, np.random.default_rng(repeat), budget):
            leader = one if leader is None or score[one] > score[leader] else leader
            regret[kind][repeat, spent - 1 :] = best - judged[leader]
            seen[kind][repeat, spent - 1 :] = score.max() - score[leader]
    return regret, seen


def floor(evidence):
    """The regret, mean over the seeds, of a search that has looked at every topology: what it costs
    to choose by one training."""
    seeds, best = range(evidence.last.shape[1]), evidence.last.mean(axis=1).max()
    chosen = [_judged(evidence, seed)[evidence.last[:, seed].argmax()] for seed in seeds]
    return float(best - np.mean(chosen))


def _judged(evidence, seed):
    return np.delete(evidence.last, seed, axis=1).mean(axis=1)

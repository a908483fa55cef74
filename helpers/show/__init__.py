"""Figures and tables of a run, drawing and caption in one place: what a notebook calls.

A figure is drawn into figures/PROFILE/RUN where it is not there yet, and shown with its caption.
"""

# ruff: noqa: F401
from helpers.show.accuracies import cost, gaps, reported_measured
from helpers.show.answers import confusion, plane, recalls, reliabilities, reliability
from helpers.show.beyond import best_topologies, cloud, disputed, family, left_out, members, regrets
from helpers.show.chance import moves
from helpers.show.comparisons import balance, distances, transformations
from helpers.show.drawn import kept
from helpers.show.exhibits import Figure, Prose, Table, plain, source
from helpers.show.factors import bought, forest, gain, standing, variants
from helpers.show.pictures import (
    attention,
    augmented,
    doubts,
    feature_maps,
    filters,
    gallery,
    mistakes,
    pairs,
    samples,
)
from helpers.show.schemes import schemes
from helpers.show.studies import changes, how_many, promised, robustness, shifted, twins
from helpers.show.tables import (
    audit,
    beside,
    generalisation,
    layers,
    metrics,
    network,
    training_figures,
    trial_table,
)
from helpers.show.training import all_curves, curves, rate, trials, watched

"""What a topology is."""

import numpy as np

from helpers import inspection
from helpers.search import topologies


def test_random_topologies_are_different_always_the_same_and_cheap_enough():
    found = topologies.sample()
    assert len({tuple(one.values()) for one in found}) == len(found) == topologies.COUNT
    assert found[0] == topologies.drawn(np.random.default_rng(0))
    for one in found[:30]:
        assert topologies.joined(*topologies.layers_of(one)) == one
        model = topologies.network(one, (28, 28, 1), 26)
        counted = sum(layer["macs"] for layer in inspection.layer_table(model))
        assert counted == topologies.multiplications(one) <= topologies.LIMIT


def test_a_layer_that_is_missing_is_closed_up_to():
    one = topologies.joined([(8, 3, 1), (16, 5, 0)], [64], 0.25)
    gap = {**one, "filters_1": 0, "units_1": 0, "units_2": 32}
    assert topologies.layers_of(gap) == ([[16, 5, 0]], [32], 0.25)

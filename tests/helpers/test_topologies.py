"""The table of topologies: what a topology is, and a table that is killed and goes on."""

import numpy as np
import pytest

from helpers import inspection
from helpers.search import topologies
from helpers.store.paths import UserError


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


@pytest.fixture
def few(parts, folders, monkeypatch):
    """A table of three small topologies, of tiny images."""
    three = [topologies.joined([(8, 3, 1)], units, 0.25) for units in ([], [32], [64])]
    monkeypatch.setattr(topologies, "images", lambda: (parts, 4, "abcdef01"))
    monkeypatch.setattr(topologies, "sample", lambda: three)
    monkeypatch.setattr(topologies, "COUNT", 3)


def lines(path):
    """Without the seconds, which no two trainings share."""
    return [line.split(",")[:-2] for line in path.read_text().splitlines()]


def test_a_table_that_is_killed_goes_on_and_comes_out_the_same(few, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    topologies.fill(whole)
    text = whole.read_text().splitlines(keepends=True)
    assert len(text) == 1 + 3 * topologies.SEEDS
    # killed while the fourth row was written: the second seed of the second topology is half there
    cut.write_text("".join(text[:4]) + text[4][:30])
    trained, train = [], topologies.train
    monkeypatch.setattr(topologies, "train", lambda *what: trained.append(what[1]) or train(*what))
    topologies.fill(cut)
    assert trained == [[1], [0, 1]]
    assert lines(cut) == lines(whole)
    topologies.fill(cut)
    assert len(trained) == 2 and len(topologies.load(cut)) == 6


def test_a_table_of_other_images_or_columns_is_left_alone(few, tmp_path):
    path = tmp_path / "other.csv"
    other = ",".join(topologies.COLUMNS) + "\n0,0,12345678\n"
    for text in ("topology,seed\n", other, other + "0,1,cut o"):
        path.write_text(text)
        with pytest.raises(UserError, match="move it away"):
            topologies.fill(path)
        assert path.read_text() == text

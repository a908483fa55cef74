"""The table of topologies, which is killed and goes on."""

import pytest

from helpers.search import topologies
from helpers.store.paths import UserError
from notebooks.topologies import fill


@pytest.fixture
def few(parts, folders, monkeypatch):
    """A table of three small topologies, of tiny images."""
    three = [topologies.joined([(8, 3, 1)], units, 0.25) for units in ([], [32], [64])]
    monkeypatch.setattr(fill, "images", lambda: (parts, 4, "abcdef01"))
    monkeypatch.setattr(fill, "sample", lambda: three)
    monkeypatch.setattr(fill, "COUNT", 3)


def lines(path):
    """Without the seconds, which no two trainings share."""
    return [line.split(",")[:-2] for line in path.read_text().splitlines()]


def test_a_table_that_is_killed_goes_on_and_comes_out_the_same(few, tmp_path, monkeypatch):
    whole, cut = tmp_path / "whole.csv", tmp_path / "cut.csv"
    fill.fill(whole)
    text = whole.read_text().splitlines(keepends=True)
    assert len(text) == 1 + 3 * fill.SEEDS
    # killed while the fourth row was written: the second seed of the second topology is half there
    cut.write_text("".join(text[:4]) + text[4][:30])
    trained, train = [], fill.train
    monkeypatch.setattr(fill, "train", lambda *what: trained.append(what[1]) or train(*what))
    fill.fill(cut)
    assert trained == [[1], [0, 1]]
    assert lines(cut) == lines(whole)
    fill.fill(cut)
    assert len(trained) == 2 and len(topologies.load(cut)) == 6


def test_a_table_of_other_images_or_columns_is_left_alone(few, tmp_path):
    path = tmp_path / "other.csv"
    other = ",".join(topologies.COLUMNS) + "\n0,0,12345678\n"
    for text in ("topology,seed\n", other, other + "0,1,cut o"):
        path.write_text(text)
        with pytest.raises(UserError, match="move it away"):
            fill.fill(path)
        assert path.read_text() == text

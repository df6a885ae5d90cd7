import math

import pytest
import torch

from ddeq.errors import UserError
from ddeq.training.datasets.modelnet import load_modelnet, sample_modelnet
from tests.sentences import assert_one_sentence

# A pyramid on a square of side 2, as ModelNet writes them: now and then without the line break.
PYRAMID = """OFF
5 5 0
0 0 0
2 0 0
2 2 0
0 2 0
1 1 1
4 0 3 2 1
3 0 1 4
3 1 2 4
3 2 3 4
3 3 0 4
"""
GLUED = PYRAMID.replace("OFF\n", "OFF")
AREA = 4 + 4 * math.sqrt(2)


@pytest.fixture
def folder(tmp_path):
    for name, count in (("table", 5), ("bed", 10)):
        for split, files in (("train", count), ("test", 2)):
            place = tmp_path / "data" / name / split
            place.mkdir(parents=True)
            for k in range(files):
                (place / f"{name}_{k:04}.off").write_text(GLUED if k % 2 else PYRAMID)
    (tmp_path / "data" / "README.txt").write_text("not a class")
    return tmp_path / "data"


def test_a_folder_becomes_labelled_clouds(folder):
    clouds = sample_modelnet(folder, count=200)
    assert clouds.classes == ("bed", "table")
    assert clouds.counts() == {
        "bed": {"train": 8, "validation": 2, "test": 2},
        "table": {"train": 4, "validation": 1, "test": 2},
    }
    assert clouds.reservoir.shape == (19, 200, 3)
    for name, label, part in zip(clouds.ids, clouds.labels, clouds.parts, strict=True):
        kind, side, _ = name.split("/")
        assert kind == clouds.classes[label] and (side == "test") == (part == "test")
    torch.testing.assert_close(clouds.areas, torch.full((19,), AREA, dtype=torch.float64))
    x, y, z = clouds.reservoir.unbind(2)
    assert ((z - (1 - torch.maximum((x - 1).abs(), (y - 1).abs()))) * z).abs().max() < 1e-5


def test_the_cache_is_read_instead_of_the_folder(folder, tmp_path):
    first = load_modelnet(folder, tmp_path / "cache.npz")
    second = load_modelnet(tmp_path / "gone", tmp_path / "cache.npz")
    assert torch.equal(first.reservoir, second.reservoir) and first.ids == second.ids


@pytest.mark.parametrize("content", ["OFF\n3 1 0\n0 0 0\n", "3 0 0 0", PYRAMID[:-3] + "9\n"])
def test_a_broken_file_is_refused_by_name(folder, content):
    (folder / "bed" / "train" / "bed_0003.off").write_text(content)
    with pytest.raises(UserError, match="bed_0003") as error:
        sample_modelnet(folder)
    assert_one_sentence(error)


def test_a_file_without_area_is_refused(folder):
    (folder / "bed" / "train" / "bed_0003.off").write_text(
        "OFF\n3 1 0\n" + 3 * "1 1 1\n" + "3 0 1 2"
    )
    with pytest.raises(UserError, match="no surface") as error:
        sample_modelnet(folder)
    assert_one_sentence(error)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match="ModelNet") as error:
        sample_modelnet(tmp_path)
    assert_one_sentence(error)

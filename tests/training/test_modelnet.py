"""ModelNet in all its forms: the same shapes, the same parts, and nothing of the test split."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ddeq.training.datasets.modelnet import FORMS, load_modelnet
from ddeq.training.datasets.modelnet.official import (
    COUNTS,
    TEST,
    TRAIN,
    VALIDATION,
    drawn,
    held_out,
    split_of,
)
from ddeq.training.datasets.modelnet.shapes import CACHE
from ddeq.training.datasets.sources import SOURCES, folder_of
from ddeq.training.loop import endless_batches
from tests import modelnet, solids
from tests.modelnet import Shape, cloud

GLUED = modelnet.pyramid().replace("OFF\n", "OFF")


def official(kind: str, *numbers: int) -> list[Shape]:
    """Shapes with names of ModelNet, in the split that these belong to."""
    names = [f"{kind}_{number:04}" for number in numbers]
    seeds = [(len(kind), number) for number in numbers]
    clouds = [cloud(solids.box, seed) for seed in seeds]
    return [Shape(name, split_of(name), x) for name, x in zip(names, clouds, strict=True)]


BATHTUBS = official("bathtub", *range(1, 41), 107, 108)  # those from 107 are for testing
BEDS = official("bed", *range(1, 11), 516)


def ids(found, *parts: str) -> set[str]:
    return {*found.clouds.part(*parts).ids}


# The official split


def test_the_official_split_is_that_of_the_numbering():
    assert (TRAIN, TEST, len(COUNTS)) == (9843, 2468, 40) and [*COUNTS] == sorted(COUNTS)
    assert split_of("airplane_0001") == split_of("airplane_0626") == "train"
    assert split_of("airplane_0627") == split_of("night_stand_0286") == "test"
    for name in ("airplane_0727", "airplane_0000", "spaceship_0001", "airplane", "train/3"):
        assert split_of(name) is None


def test_a_thousand_shapes_of_the_training_split_are_held_out():
    assert len(held_out()) == VALIDATION and {*map(split_of, held_out())} == {"train"}
    assert {"airplane_0018", "xbox_0103"} & held_out() <= held_out()
    of_class = [name.rpartition("_")[0] for name in held_out()]
    for kind, (train, _) in COUNTS.items():
        share = of_class.count(kind) / train
        assert 0 <= share < 0.3, kind
    names = [f"x_{k}" for k in range(50)]
    assert drawn(names, 4) == drawn(names[::-1], 4) and len({*drawn(names, 4)}) == 4
    assert len(drawn(names, 1000)) == 10


# Readers


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_the_same_shapes_and_parts(form, tmp_path):
    chosen = [*BATHTUBS, *BEDS]
    folder = modelnet.WRITERS[form](tmp_path / "data", chosen)
    (folder / "README").write_text("not a class")
    found = load_modelnet(folder)
    assert found.form == form
    expected = {
        "validation": {s.name for s in chosen if s.name in held_out()},
        "test": {"bathtub_0107", "bathtub_0108", "bed_0516"},
    }
    assert expected["validation"]  # some of these are
    expected["train"] = {s.name for s in chosen} - expected["validation"] - expected["test"]
    assert {part: ids(found, part) for part in expected} == expected
    assert found.clouds.classes == ("bathtub", "bed")
    by_name = {shape.name: shape for shape in chosen}
    for name, label, x in zip(
        found.clouds.ids, found.clouds.labels, found.clouds.reservoir, strict=True
    ):
        assert found.clouds.classes[label] == by_name[name].kind
        if form != "off":
            np.testing.assert_allclose(x.numpy(), by_name[name].points, atol=1e-5)


def test_a_mesh_becomes_points_of_its_surface_and_its_area(tmp_path):
    folder = modelnet.write_off(tmp_path, BEDS)
    (folder / "bed" / "train" / "bed_0003.off").write_text(GLUED)  # as some files are
    clouds = load_modelnet(folder).clouds
    at = clouds.ids.index("bed_0003")
    assert clouds.areas[at].item() == pytest.approx(4 + 4 * math.sqrt(2))
    x, y, z = clouds.reservoir[at].T
    height = 1 - torch.maximum((x - 1).abs(), (y - 1).abs())
    assert (z.abs() < 1e-5).any() and ((z - height) * z).abs().max() < 1e-5


def test_points_are_turned_upright(tmp_path):
    """A tall stick stands in every form."""
    tall = [replace(s, points=s.points * [0.02, 0.2, 1]) for s in official("bed", *range(1, 8))]
    for form in ("npz", "text", "hdf5"):
        clouds = load_modelnet(modelnet.WRITERS[form](tmp_path / form, tall)).clouds
        size = clouds.reservoir.std(1)
        assert (size.diff(dim=1) > 0).all(), form


def test_the_folder_in_the_folder_is_found(tmp_path):
    modelnet.write_text(tmp_path / "downloads" / "modelnet40_normal_resampled", BEDS)
    found = load_modelnet(tmp_path / "downloads")
    assert found.form == "text" and found.folder.name == "modelnet40_normal_resampled"


@pytest.mark.parametrize("form", ["off", "text"])
def test_what_takes_long_to_read_is_read_once_while_files_stay(form, tmp_path, monkeypatch):
    folder = modelnet.WRITERS[form](tmp_path, BEDS)
    first = load_modelnet(folder)
    with monkeypatch.context() as patch:
        patch.setattr("ddeq.training.datasets.modelnet.off.sample", None)
        patch.setattr("ddeq.training.datasets.modelnet.text._points", None)
        again = load_modelnet(folder)
    assert torch.equal(first.clouds.reservoir, again.clouds.reservoir)
    assert (first.clouds.ids, first.clouds.parts) == (again.clouds.ids, again.clouds.parts)
    modelnet.WRITERS[form](tmp_path, [*BEDS, *official("bed", 11)])
    assert "bed_0011" in ids(load_modelnet(folder), "train", "validation")
    (folder / CACHE).write_bytes(b"broken")
    assert ids(load_modelnet(folder), "test") == {"bed_0516"}


def test_a_folder_one_may_not_write_to_is_read_all_the_same(tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr(np, "savez", refuse)
    assert ids(load_modelnet(modelnet.write_off(tmp_path, BEDS)), "test") == {"bed_0516"}


# Nothing is trained on the test split


def trained_on(folder) -> set[str]:
    """What a training sees: names in its batches."""
    clouds, _ = SOURCES["modelnet"].load(folder, 0, True)
    order = endless_batches(len(clouds), 1, torch.Generator().manual_seed(0))
    return {clouds.ids[int(next(order))] for _ in range(len(clouds))}


@pytest.mark.parametrize("form", FORMS)
def test_a_test_shape_that_lies_in_the_training_split_is_not_trained_on(form, tmp_path, capsys):
    """By layout: in the folder, the list or the file of the training split."""
    wrong = [replace(shape, split="train") for shape in BATHTUBS if shape.split == "test"]
    folder = modelnet.WRITERS[form](tmp_path, [*BATHTUBS[:40], *wrong, *BEDS])
    assert {"bathtub_0001", "bed_0001"} <= trained_on(folder)
    assert not {"bathtub_0107", "bathtub_0108"} & trained_on(folder)
    assert "2 of its shapes to train on belong to the test split" in capsys.readouterr().err
    assert ids(load_modelnet(folder), "test") == {"bed_0516"}


@pytest.mark.parametrize("form", FORMS)
def test_a_test_shape_under_the_name_of_a_training_shape_is_not_trained_on(form, tmp_path):
    """By content: its points, or its file, are those of a shape of the test split."""
    swapped = [replace(shape, points=BATHTUBS[-1].points) for shape in BATHTUBS[2:4]]
    chosen = [*BATHTUBS[:2], *swapped, *BATHTUBS[4:], *BEDS]
    folder = modelnet.WRITERS[form](tmp_path, chosen)
    found = load_modelnet(folder)
    assert not {"bathtub_0003", "bathtub_0004"} & ids(found, "train", "validation")
    assert len(found.clouds) == len(chosen) - 2
    assert "2 of its shapes to train on belong to the test split" in found.notes[-1]


@pytest.mark.parametrize("form", FORMS)
def test_a_training_shape_that_lies_in_the_test_split_is_used_for_neither(form, tmp_path):
    moved = [replace(shape, split="test") for shape in BATHTUBS[:3]]
    folder = modelnet.WRITERS[form](tmp_path, [*moved, *BATHTUBS[3:], *BEDS])
    found = load_modelnet(folder)
    assert not {shape.name for shape in moved} & {*found.clouds.ids}
    assert "3 of its shapes to test on belong to the training split" in found.notes[-1]


def test_a_shape_that_both_lists_name_is_not_trained_on(tmp_path):
    folder = modelnet.write_text(tmp_path, modelnet.shapes())
    with (folder / "modelnet40_train.txt").open("a") as listed:
        listed.write("box_0009\n")
    found = load_modelnet(folder)
    assert "box_0009" in ids(found, "test") and "box_0009" not in trained_on(folder)


def test_a_file_of_the_test_split_listed_for_training_is_not_trained_on(tmp_path):
    for names in (True, False):
        folder = modelnet.write_hdf5(tmp_path / str(names), [*BATHTUBS, *BEDS], names)
        listed = (folder / "train_files.txt").read_text()
        (folder / "train_files.txt").write_text(f"{listed}ply_data_test0.h5\n")
        found = load_modelnet(folder)
        assert len(found.clouds.part("train", "validation")) == 50
        assert len(found.clouds.part("test")) == 3


def test_validation_shapes_are_never_trained_on(tmp_path):
    folder = modelnet.write_npz(tmp_path, modelnet.shapes(train=20))
    clouds, held = SOURCES["modelnet"].load(folder, 0, True)
    assert len(held) == 12 and not {*held.ids} & trained_on(folder)
    assert len(clouds) == 48


# What is not as usual


def test_other_counts_are_told(tmp_path):
    (note,) = load_modelnet(modelnet.write_npz(tmp_path, [*BATHTUBS, *BEDS])).notes
    assert "50 shapes to train on and 3 to test on in 2 of its classes" in note
    assert "9,843 and 2,468" in note


def test_modelnet_as_it_is_needs_no_note(tmp_path):
    names = [f"{kind}_{k + 1:04}" for kind, counts in COUNTS.items() for k in range(sum(counts))]
    points = [np.full((3, 3), number / 32767) for number in range(len(names))]
    chosen = [Shape(name, split_of(name), x) for name, x in zip(names, points, strict=True)]
    found = load_modelnet(modelnet.write_npz(tmp_path, chosen))
    assert found.notes == ()
    sizes = {part: len(found.part(part)) for part in ("train", "validation", "test")}
    assert sizes == {"train": 8843, "validation": 1000, "test": 2468}
    assert ids(found, "validation") == held_out()


def test_without_names_validation_is_by_place_and_said(tmp_path):
    folder = modelnet.write_hdf5(tmp_path, [*BATHTUBS, *BEDS], names=False)
    found = load_modelnet(folder)
    assert len(found.part("validation")) == 10 and len(found.part("train")) == 40
    assert "have no names" in found.notes[-1]
    again = load_modelnet(folder)
    assert ids(again, "validation") == ids(found, "validation")
    # Names that do not fit the labels are none.
    folder = modelnet.write_hdf5(tmp_path / "names", [*BATHTUBS, *BEDS])
    (folder / "ply_data_train_0_id2file.json").write_text(json.dumps(["bed/bed_0001.ply"] * 10))
    assert "have no names" in load_modelnet(folder).notes[-1]


def test_labels_are_those_of_the_model(tmp_path, refused):
    found = load_modelnet(modelnet.write_npz(tmp_path, [*BATHTUBS, *BEDS]))
    clouds = found.part("test").labelled_as([*COUNTS])
    assert [clouds.classes[label] for label in clouds.labels] == ["bathtub", "bathtub", "bed"]
    with refused() as message:
        found.clouds.labelled_as(["bed", "desk"])
    assert "bathtub" in message.text


def test_the_environment_may_say_where_the_data_are(tmp_path, monkeypatch, refused):
    monkeypatch.setenv("DDEQ_MODELNET", str(tmp_path))
    assert folder_of("modelnet", None) == tmp_path
    assert folder_of("modelnet", tmp_path / "more") == tmp_path / "more"
    with refused() as message:
        folder_of("digits", None)
    assert "DDEQ" not in message.text
    monkeypatch.delenv("DDEQ_MODELNET")
    with refused() as message:
        folder_of("modelnet", None)
    assert "DDEQ_MODELNET" in message.text


# Bad input


def test_a_folder_without_the_data_is_refused(tmp_path, refused):
    for folder in (tmp_path, tmp_path / "missing"):
        with refused() as message:
            load_modelnet(folder)
        assert str(folder) in message.text


@pytest.mark.parametrize("form", FORMS)
def test_a_folder_with_a_part_is_refused_where_the_rest_is_asked_for(form, tmp_path, refused):
    folder = modelnet.WRITERS[form](tmp_path, [s for s in BATHTUBS if s.split == "train"])
    found = load_modelnet(folder)
    assert len(found.part("train"))
    with refused() as message:
        found.part("test")
    assert str(folder) in message.text


def cut(path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def remove(path) -> None:
    path.unlink()


def rewrite(content: str):
    return lambda path: path.write_text(content)


def hdf5_with(**arrays: np.ndarray):
    def write(path) -> None:
        with modelnet.h5py.File(path, "w") as file:
            for name, array in arrays.items():
                file[name] = array

    return write


@pytest.mark.parametrize(
    "form, name, change",
    [
        ("npz", "train.npz", cut),
        ("npz", "test.npz", rewrite("not an archive")),
        ("hdf5", "ply_data_train0.h5", cut),
        ("hdf5", "ply_data_test0.h5", rewrite("not HDF5")),
        ("hdf5", "ply_data_train1.h5", remove),
        ("hdf5", "ply_data_train1.h5", hdf5_with(data=np.zeros((2, 5, 3)))),
        ("hdf5", "ply_data_train1.h5", hdf5_with(data=np.zeros((2, 5)), label=np.zeros(2))),
        ("hdf5", "ply_data_train1.h5", hdf5_with(data=np.zeros((2, 60, 3)), label=[[0], [2]])),
        ("text", "modelnet40_test.txt", remove),
        ("text", "bed/bed_0002.txt", remove),
        ("text", "bed/bed_0002.txt", rewrite("")),
        ("text", "bed/bed_0002.txt", rewrite("0,0,0,0,0,0\n1,1\n")),
        ("text", "bed/bed_0002.txt", rewrite("0,0,0,0,0,0\n")),
        ("text", "bed/bed_0002.txt", rewrite("x,y,z\n")),
        ("off", "bed/train/bed_0003.off", rewrite("OFF\n3 1 0\n0 0 0\n")),
        ("off", "bed/train/bed_0003.off", rewrite("3 0 0 0")),
        ("off", "bed/train/bed_0003.off", rewrite(modelnet.pyramid()[:-3] + "9\n")),
        ("off", "bed/train/bed_0003.off", rewrite("OFF\n3 1 0\n" + 3 * "1 1 1\n" + "3 0 1 2\n")),
    ],
)
def test_a_broken_file_is_refused_by_name(form, name, change, tmp_path, refused):
    folder = modelnet.WRITERS[form](tmp_path / "d", [*BATHTUBS, *BEDS])
    change(folder / name)
    with refused() as message:
        load_modelnet(folder)
    assert (folder / name).name in message.text

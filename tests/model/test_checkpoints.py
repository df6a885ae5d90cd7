"""Models survive the disk, and no file can do harm or end in a traceback."""

import json
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from ddeq.model.checkpoints import load, save
from ddeq.model.classifier import Classifier
from ddeq.model.completer import Completer
from ddeq.model.official import load_official

SMALL = Path(__file__).parent / "golden_small"
HEADS = 4


@pytest.fixture
def saved(tiny, tmp_path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save(tiny.model, {"labels": ["a", "b", "c"]}, path)
    return path


def change_card(path: Path, **sizes: object) -> None:
    card = json.loads(path.with_suffix(".json").read_text())
    card["architecture"]["operator"].update(sizes)
    path.with_suffix(".json").write_text(json.dumps(card))


def test_save_and_load_are_inverse(tiny, saved):
    found = load(saved)
    assert found.card["labels"] == ["a", "b", "c"]
    assert found.model.config == tiny.model.config
    assert not found.model.training
    for name, tensor in tiny.model.state_dict().items():
        assert torch.equal(found.model.state_dict()[name], tensor)
    assert not any(p.requires_grad for p in found.model.parameters())
    z, x = tiny.model.start([0]), torch.randn(1, 7, 2)
    F, G = tiny.model.operator, found.model.operator
    assert torch.equal(F(z, F.encode(x)), G(z, G.encode(x)))


def test_half_precision_weights_load_as_single(tiny, saved):
    save_file({k: v.half() for k, v in load_file(saved).items()}, saved)
    found = load(saved).model
    for name, tensor in tiny.model.state_dict().items():
        assert found.state_dict()[name].dtype == torch.float32
        torch.testing.assert_close(found.state_dict()[name], tensor, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("missing", [".safetensors", ".json"])
def test_both_files_must_be_there(saved, refused, missing):
    saved.with_suffix(missing).unlink()
    with refused():
        load(saved)


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"\xff" * 100, b"[1, 2]", b"{}", b"null", b'{"architecture": {}}'],
)
def test_garbage_in_either_file_is_refused(saved, refused, suffix, content):
    saved.with_suffix(suffix).write_bytes(content)
    with refused():
        load(saved)


@pytest.mark.parametrize(
    "sizes",
    [
        {"latent_dim": 32},
        {"cross_layers": 1},
        {"cross_layers": 3},
        {"input_dim": 3},
        {"latent_dim": "wide"},
        {"latent_dim": None},
        {"colour": 3},
        {"latent_dim": -1},
        {"latent_dim": 10**6},  # must not be tried: terabytes
        {"heads": 0},
        {"heads": 3},  # does not divide the width: would fail at the first step
    ],
    ids=str,
)
def test_a_card_of_another_architecture_is_refused(saved, refused, sizes):
    change_card(saved, **sizes)
    with refused():
        load(saved)


def test_weights_of_the_wrong_shape_are_named(saved, refused):
    state = load_file(saved)
    state["readout.linear.bias"] = torch.zeros(7)
    save_file(state, saved)
    with refused() as message:
        load(saved)
    assert "readout.linear.bias" in message.text
    assert "(3,)" in message.text and "(7,)" in message.text


# The authors' state dicts


@pytest.fixture
def official() -> dict[str, torch.Tensor]:
    return torch.load(SMALL / "cls_plane.pth", weights_only=True)


@pytest.fixture
def stored(tmp_path):
    """Stores an object as a ``.pth`` file."""

    def store(content: object) -> Path:
        torch.save(content, tmp_path / "theirs.pth")
        return tmp_path / "theirs.pth"

    return store


@pytest.mark.parametrize(
    "name, kind, input_dim, cross_layers",
    [
        ("cls_plane", Classifier, 2, 1),
        ("cls_space", Classifier, 3, 3),
        ("comp_plane", Completer, 2, 3),
    ],
)
def test_a_state_dict_tells_which_model_it_is(name, kind, input_dim, cross_layers):
    model = load_official(SMALL / f"{name}.pth", heads=HEADS)
    assert isinstance(model, kind) and not model.training
    config = model.operator.config
    assert (config.input_dim, config.cross_layers) == (input_dim, cross_layers)
    assert (config.latent_dim, config.hidden_dim, config.heads) == (16, 4, HEADS)
    assert kind is Completer or model.config.classes == {2: 5, 3: 4}[input_dim]


def test_every_number_of_a_state_dict_arrives(official):
    model = load_official(SMALL / "cls_plane.pth", heads=HEADS)
    theirs = torch.cat([v.flatten() for v in official.values()]).sort().values
    ours = torch.cat([v.flatten() for v in model.state_dict().values()]).sort().values
    assert torch.equal(ours, theirs)


def test_missing_tensors_are_noticed(official, stored, refused):
    keys = list(official)
    for key in [*keys[::7], keys[-1]]:
        with refused():
            load_official(stored({k: v for k, v in official.items() if k != key}), heads=HEADS)


@pytest.mark.parametrize(
    "change",
    [
        {"deq_model.ln1.weight": torch.ones(5)},
        {"deq_model.ln1.weight": torch.ones(2, 2)},
        {"deq_model.equivariant_x.linear1.weight": torch.ones(3)},
        {"deq_model.unheard_of.weight": torch.ones(3)},
        {"nothing_of_ours": torch.ones(3)},
        {3: torch.ones(3)},
        {"deq_model.ln1.weight": "one"},
        {"deq_model.self_encoder.layers.0.multihead_attn.in_proj_weight": 5},
        {"classifier.linear.weight": None},
        {"deq_model.cross_encoder.layers.x.norm.weight": torch.ones(16)},
        {"deq_model.cross_encoder.layers.2.norm.weight": torch.ones(16)},
    ],
    ids=lambda change: str(next(iter(change))),
)
def test_a_state_dict_with_something_wrong_is_refused(official, stored, refused, change):
    with refused():
        load_official(stored({**official, **change}), heads=HEADS)


@pytest.mark.parametrize("content", [{}, [1, 2], 3, None, torch.ones(2)], ids=str)
def test_other_objects_are_refused(stored, refused, content):
    with refused():
        load_official(stored(content), heads=HEADS)


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04 not a zip", b"\x80\x02]q\x00."])
def test_garbage_is_refused(tmp_path, refused, content):
    path = tmp_path / "theirs.pth"
    path.write_bytes(content)
    with refused():
        load_official(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path, refused):
    with refused():
        load_official(tmp_path / "nothing.pth")
    with refused():
        load_official(tmp_path)


def test_heads_that_do_not_divide_the_width_are_refused(refused):
    with refused():
        load_official(SMALL / "cls_plane.pth", heads=3)


class Trap:
    """Touches a file when it is unpickled by a careless reader."""

    def __init__(self, target: Path):
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_a_pickle_is_not_run(tmp_path, refused, writer):
    path, target = tmp_path / "trap.pth", tmp_path / "sprung"
    if writer == "torch":
        torch.save({"deq_model.ln1.weight": Trap(target)}, path)
        with pytest.raises(pickle.UnpicklingError):
            torch.load(path, weights_only=True)
    else:
        path.write_bytes(pickle.dumps(Trap(target)))
    with refused():
        load_official(path)
    disguised = shutil.copy(path, tmp_path / "trap.safetensors")
    (tmp_path / "trap.json").write_text("{}")
    with refused():
        load(disguised)
    assert not target.exists()
    torch.load(path, weights_only=False) if writer == "torch" else pickle.loads(path.read_bytes())
    assert target.exists()  # the trap does work

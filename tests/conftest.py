"""Shared by all tests: the same examples on every run, one thread, a tiny random model."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import torch
from hypothesis import settings

from ddeq.errors import UserError
from ddeq.model.checkpoints import Checkpoint
from ddeq.model.classifier import Classifier, ClassifierConfig
from ddeq.model.completer import Completer, CompleterConfig
from ddeq.model.operator import OperatorConfig
from ddeq.threads import limit

settings.register_profile("ddeq", deadline=None, derandomize=True)
settings.load_profile("ddeq")
limit(1)

TINY = ClassifierConfig(
    OperatorConfig(latent_dim=16, hidden_dim=4, heads=4, cross_layers=2), classes=3, particles=5
)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes give no name to a test: packed ones hold the time, and workers must agree on names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True, scope="session")
def components_looked_for_once() -> Iterator[None]:
    """Before each launched page Streamlit reads what is installed in search of components."""
    if "streamlit.testing.v1" not in sys.modules:  # no such test was collected
        yield
        return
    from streamlit.components.v2 import manifest_scanner

    once = cache(manifest_scanner.scan_component_manifests)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", once)
        yield


@pytest.fixture
def new_classifier() -> Callable[[], Classifier]:
    """Makes a tiny classifier with random weights, the same every time, in training mode."""

    def make() -> Classifier:
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return Classifier(TINY)

    return make


@pytest.fixture
def tiny(new_classifier) -> Checkpoint:
    """A tiny random classifier as a checkpoint, ready for inference."""
    card = {"name": "tiny", "labels": ["a", "b", "c"], "points": 30}
    card["architecture"] = TINY.to_dict()
    return Checkpoint(new_classifier().eval().requires_grad_(False), card)


@pytest.fixture
def tiny_completer() -> Checkpoint:
    """A tiny random completer as a checkpoint, ready for inference."""
    config = CompleterConfig(TINY.operator, lift="mlp")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Completer(config)
    card = {"name": "tiny", "kind": "completer", "points": 60, "validation": 20}
    card["architecture"] = config.to_dict()
    card["settings"] = {"solver": "picard", "kernel": "riesz", "steps": 4, "tolerance": 0}
    return Checkpoint(model.eval().requires_grad_(False), card)


class Message:
    """What a refusal said, once it has been made."""

    text = ""


@pytest.fixture
def refused() -> Callable:
    """``with refused() as message``: a UserError is raised whose message is one sentence."""

    @contextmanager
    def expect() -> Iterator[Message]:
        message = Message()
        with pytest.raises(UserError) as error:
            yield message
        message.text = str(error.value)
        assert message.text.endswith(".") and ". " not in message.text
        assert "\n" not in message.text and len(message.text) < 300

    return expect

"""A cut cloud as it stands in the player before anything is filled in."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from ddeq.engine.work import go_through
from ddeq.input.clouds import PointCloud
from ddeq.input.prepare import prepare
from ddeq.model.checkpoints import Checkpoint
from ddeq.run.classification import ClassifierRun, Outcome
from ddeq.run.completion import CompleterRun
from ddeq.run.device import pick_device
from ddeq.run.filling import cut_cloud, in_player, shown_beside
from ddeq.run.settings import with_defaults
from ddeq.view.complete.request import Request
from ddeq.view.page import load_model
from ddeq.view.player import encode
from ddeq.view.session import Kept, Name


@dataclass(frozen=True, eq=False)
class Standing:
    """What the player shows of a cut cloud.

    Attributes:
        identity: of the cut.
        before: what the classifier makes of what is left.
        piece: of the player's file.
        place: from the cloud's own units ``(P, d)`` to the player's.
    """

    identity: Hashable
    before: Outcome
    piece: bytes
    place: Callable[[np.ndarray], np.ndarray]


_standing: Kept[Standing] = Kept(Name.STANDING)


def standing(request: Request) -> Standing:
    """How what the request cuts stands there; the same object while the cut is the same."""
    present = _standing.get()
    if present is not None and present.identity == request.cut_identity:
        return present
    family = request.chosen.family
    classifier = load_model(family.classifier)
    run = CompleterRun(  # for its units alone
        load_model(family.completer), request.hollow, request.settings, pick_device(), free=1
    )
    before = _read(classifier, PointCloud(request.hollow.known, request.hollow.name))
    shown = shown_beside(run, request.hollow.name, request.chosen.answer)
    scale = in_player(run)
    return _standing.put(
        Standing(
            request.cut_identity,
            before,
            encode(cut_cloud(shown, before)),
            lambda points: scale * run.in_frame_units(points),
        )
    )


def _read(classifier: Checkpoint, cloud: PointCloud) -> Outcome:
    """What the classifier makes of a cloud."""
    card = classifier.card
    run = ClassifierRun(classifier, prepare(cloud, card), with_defaults(card, {}), pick_device())
    go_through(run)
    return run.outcome

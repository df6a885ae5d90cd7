"""The one view of page *Complete*: a cloud is cut in it, and free particles flow in it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ddeq.errors import UserError
from ddeq.input.clouds import PointCloud, flatten
from ddeq.run.settings import RunSettings
from ddeq.view.complete.controls import Asked, ask
from ddeq.view.complete.request import Completion, Request, begin, shown
from ddeq.view.complete.results import show_completion
from ddeq.view.complete.standing import standing
from ddeq.view.cuts import Cut
from ddeq.view.cuts.flat import remember
from ddeq.view.cuts.outlines import outlines
from ddeq.view.cuts.space import cut_from, put_sphere
from ddeq.view.cutter import cutter
from ddeq.view.glossary import say
from ddeq.view.inputs import Chosen
from ddeq.view.page import invite
from ddeq.view.player.component import CutHere, player
from ddeq.view.session import Kept, Name
from ddeq.view.words import verbatim

KEY = "complete"  # of the player: the cut and the completion are shown by the same one
HEIGHT = 400

_cutting: Kept[bool] = Kept(Name.CUTTING)  # whether what has been completed is cut anew


def show_stage(chosen: Chosen | None, settings: RunSettings) -> None:
    """The cutting tools, and the cloud below them: as it is cut, or filled in once that is asked.

    A link to a moment of a completion is completed at once. Without an input the last completion
    stays.
    """
    present = shown.get()
    asked = Asked(None, None) if chosen is None else ask(chosen, settings, present)
    if asked.back:
        _cutting.put(True)
    if asked.request is not None and (asked.pressed or _is_moment(present)):
        _complete(asked.request, present if asked.going_on else None)
    completed = present if present is not None and _is_shown(asked, present) else None
    if completed is not None:
        _say_what_differs(asked.request, completed)
        show_completion(completed, KEY, HEIGHT)
    elif chosen is None:
        invite()
    elif asked.cut is not None:
        _show_cut(chosen.cloud, asked.cut, asked.request)


def _is_moment(present: Completion | None) -> bool:
    return present is None and "step" in st.query_params


def _complete(request: Request, present: Completion | None) -> None:
    """Begin the request's completion, which the next script run shows; explain why not."""
    try:
        completion = begin(request, standing(request).before, present)
    except UserError as error:
        st.error(verbatim(str(error)))
        return
    _cutting.put(False)
    shown.put(completion)
    st.rerun()  # controls above say what can be done with it


def _is_shown(asked: Asked, present: Completion) -> bool:
    """Whether the completion is shown rather than the cut.

    It is while it is of this cut, and while there is no cut that makes sense, unless that is by
    hand and can be mended.
    """
    if asked.request is None:
        return asked.cut is None or not asked.cut.by_hand
    same = present.request.cut_identity == asked.request.cut_identity
    return same and not _cutting.get()


def _say_what_differs(request: Request | None, completed: Completion) -> None:
    if request is None:
        name = verbatim(completed.request.chosen.cloud.name)
        st.info(f"Below is what you completed last, of {name}.")
    elif request.identity != completed.request.identity:
        st.info("Below is what you completed last. Press Complete for what is set now.")


def _show_cut(cloud: PointCloud, cut: Cut, request: Request | None) -> None:
    """The cloud with what is cut away, and the tools over it."""
    if cut.by_hand:
        _cut_by_hand(flatten(cloud).points, cut)
    elif request is not None:
        _cut_in_player(cloud.points, cut, request)
    say(f"{cut.count}. {cut.hint}", st.caption)


def _cut_by_hand(points: np.ndarray, cut: Cut) -> None:
    edited = cutter("cutter", points, cut.keep, editable=True, size=HEIGHT)
    if edited is not None:
        remember(points, edited, by_hand=True)
        st.rerun()  # so that what is asked for is what is cut


def _cut_in_player(points: np.ndarray, cut: Cut, request: Request) -> None:
    stands = standing(request)
    lines = outlines(points, cut.sphere, cut.plane) if points.shape[1] == 3 else []
    picks = cut.sphere is not None
    event = player(
        [stands.piece],
        key=KEY,
        height=HEIGHT,
        cut=CutHere(
            [stands.place(line) for line in lines],
            pick=picks,
            take=cut.take,
            hint="Click a point to place the sphere." if picks else "",
        ),
    )
    if event.looked is not None:
        cut_from(event.looked)
        st.rerun()  # so that the sliders show it
    if event.picked is not None:
        away = np.linalg.norm(stands.place(points) - np.array(event.picked), axis=1)
        put_sphere(points, points[away.argmin()])
        st.rerun()

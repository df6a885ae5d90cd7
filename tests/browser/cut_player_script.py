"""A box of points of which a part is cut away, in the player, for the browser tests."""

import numpy as np
import streamlit as st

from ddeq.view.cuts.outlines import outlines
from ddeq.view.player import Trajectory, encode
from ddeq.view.player.component import CutHere, player

POINTS = np.array([[x, y, z] for x in range(13) for y in range(9) for z in range(5)]) / 2
KNOWN = POINTS[:, 0] < 4
box = Trajectory(
    label="box",
    steps=np.zeros(1, np.int32),
    particles=POINTS[KNOWN][None].astype(np.float32),
    kept=np.ones(KNOWN.sum(), bool),
    truth=POINTS[~KNOWN].astype(np.float32),
)
sphere, plane = (POINTS[0], 2.0), (np.array([1.0, 0, 0]), 3.5)
cut = CutHere(outlines(POINTS, sphere, plane), pick=True, take="From here")
event = player([encode(box)], key="box", cut=cut)
if event.picked is not None:
    st.session_state["picked"] = event.picked
if event.looked is not None:
    st.session_state["looked"] = event.looked
st.text(f"picked {st.session_state.get('picked')} looked {st.session_state.get('looked')}")

"""A box of points in space in its view, for the browser tests."""

import numpy as np
import streamlit as st

from ddeq.view.cloud_view import Cut, cloud_view

POINTS = np.array([[x, y, z] for x in range(13) for y in range(9) for z in range(5)]) / 2
event = cloud_view(
    "cloud",
    POINTS,
    POINTS[:, 0] < 4,
    Cut(
        pick=True,
        take="From here",
        sphere=(POINTS[0], 2.0),
        plane=(np.array([1.0, 0, 0]), 3.5),
    ),
)
if event.picked is not None:
    st.session_state["picked"] = POINTS[event.picked].tolist()
if event.camera is not None:
    st.session_state["camera"] = event.camera
st.text(f"picked {st.session_state.get('picked')} camera {st.session_state.get('camera')}")

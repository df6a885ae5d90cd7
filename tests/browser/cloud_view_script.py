"""A box of points in space in its view, for the browser tests."""

import numpy as np

from ddeq.view.cloud_view import cloud_view

POINTS = np.array([[x, y, z] for x in range(13) for y in range(9) for z in range(5)]) / 2
cloud_view("cloud", POINTS)

"""Kernels, and the squared maximum mean discrepancy (MMD) that they make of measures.

What a solve asks of one is :class:`Kernel`: the ``interaction`` of points with masses, and who it
is ``at`` a step. Those of the distance alone (:class:`Radial`) derive all that from their value and
slope. To add a kernel, write it in a file of this folder and register it there: command line, app
and tests find it in ``KERNELS``.
"""

from ddeq.solve.kernels.gaussian import Gaussian
from ddeq.solve.kernels.interface import KERNELS, Interaction, Kernel, Radial
from ddeq.solve.kernels.mmd import Discrepancy, discrepancy, mmd2, mmd2_loss, uniform_mass
from ddeq.solve.kernels.pairs import differences, squared_distances
from ddeq.solve.kernels.riesz import Continued, Riesz
from ddeq.solve.kernels.sliced import SlicedRiesz
from ddeq.solve.registry import import_all

import_all(__name__, __path__)

__all__ = [
    "KERNELS",
    "Continued",
    "Discrepancy",
    "Gaussian",
    "Interaction",
    "Kernel",
    "Radial",
    "Riesz",
    "SlicedRiesz",
    "differences",
    "discrepancy",
    "mmd2",
    "mmd2_loss",
    "squared_distances",
    "uniform_mass",
]

"""Distributional Deep Equilibrium Models: fixed points in the space of measures.

Source: Geuter, Bonet, Korba, Alvarez-Melis, "DDEQs: Distributional Deep Equilibrium Models
through Wasserstein Gradient Flows", AISTATS 2025, https://arxiv.org/abs/2503.01140.

Shapes throughout: ``B`` clouds, ``M`` input points, ``N`` particles, ``d`` latent dimension.
"""

__version__ = "0.1.0"

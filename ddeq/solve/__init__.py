"""Solving for a fixed point in the space of measures; knows operators z -> F(z), no models."""

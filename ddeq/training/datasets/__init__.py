"""Readers of the data sets the models are trained on."""

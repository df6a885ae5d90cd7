"""Spread, distances of clouds, intervals, agreement of completions."""

"""Experiments on the road to equilibrium: many runs, compared.

Whatever takes long is an iterator of frozen snapshots, each the result so far, as a flow is one of
frozen steps: who iterates shows progress, and may leave at any time with what there is.
"""

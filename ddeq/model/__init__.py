"""The models, their parts and their files; baselines to compare with."""

"""The models, their parts and their files."""

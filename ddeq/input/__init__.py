"""A file to a standardised cloud."""

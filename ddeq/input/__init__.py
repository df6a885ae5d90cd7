"""A file to a standardised cloud: reading, sampling, cutting, standardising, galleries."""

"""One run from settings to outcome."""

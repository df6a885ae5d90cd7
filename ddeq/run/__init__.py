"""One run from settings to outcome, frame by frame."""

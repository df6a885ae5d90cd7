"""Numbers about particles, predictions and completed clouds."""

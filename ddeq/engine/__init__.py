"""Many solves at once: who may work now, and what they have come to."""

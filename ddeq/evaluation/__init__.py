"""How good models are, and how much of that is their equilibrium's."""

"""How good models are on many clouds, and how much of that is their equilibrium's."""

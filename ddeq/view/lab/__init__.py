"""The sections of page *Solver lab*."""

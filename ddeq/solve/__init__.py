"""Fixed points in the space of measures: kernels, objective, solvers, flow."""

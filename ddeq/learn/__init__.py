"""Small problems that the page Learn plays with, solved by the code that solves the real ones."""

"""Small problems that page Learn plays with, solved by the real code."""

"""Does the flow help? The same solve with fewer steps."""


def step_counts(most: int) -> list[int]:
    """0, 1, 2, 4, ... and ``most``."""
    return sorted({0, *(2**k for k in range(most.bit_length())), most})

"""From a recipe and data to a checkpoint: data sets, losses, the loop."""

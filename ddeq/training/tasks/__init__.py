"""What models learn: for each kind its loss on a batch, and its validation."""

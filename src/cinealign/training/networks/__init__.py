"""Trainable networks: towers, heads and the two-tower network."""

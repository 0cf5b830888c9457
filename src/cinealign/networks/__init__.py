"""Trainable networks: towers and projection heads."""

"""Samples that the program draws itself: movies and flags, for tests and for a machine without data."""

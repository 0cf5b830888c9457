"""Accuracy, ranks and intervals."""

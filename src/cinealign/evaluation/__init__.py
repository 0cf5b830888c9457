"""Measures D: accuracy, ranks, intervals, slices and paired comparisons."""

"""Figures of the analysis: each draws numbers that are computed elsewhere, and nothing else."""

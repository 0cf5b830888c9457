"""Experts: fitted pairs of maps into one shared space, and how they are weighted."""

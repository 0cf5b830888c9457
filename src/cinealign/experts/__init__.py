"""Experts: pairs of maps into one shared space, their training and their fusion."""

"""Experts: pairs of maps into one shared space, closed forms among them, and their fusion."""

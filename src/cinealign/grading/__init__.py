"""Grades a folder of submissions without running any of their code."""

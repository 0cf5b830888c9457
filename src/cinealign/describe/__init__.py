"""Describes a data folder before anything is trained: counts, sizes, languages, duplicates."""

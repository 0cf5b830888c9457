"""Reads, cleans, imports, downloads, samples and splits catalogues of posters and intros."""

"""Answers three questions about a finished run: relation, neighbours, downstream tasks; explains single pairs."""

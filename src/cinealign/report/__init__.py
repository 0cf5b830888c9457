"""What a user hands in: notebook, typeset report and checked submission."""

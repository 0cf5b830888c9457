"""What a user hands in: the notebook, the typeset report and the checked submission of a run."""

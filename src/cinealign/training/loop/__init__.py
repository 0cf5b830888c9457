"""The training loop of experts that learn by gradient, and its parts."""

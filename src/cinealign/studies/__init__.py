"""Studies over several runs: tune, compare recipes, draw training curves."""

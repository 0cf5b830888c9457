"""Studies over runs: choose hyper-parameters, compare recipes, draw what a run has learned."""

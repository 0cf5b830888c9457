"""The page to look at a run or an index with: a local server, its API, templates and safety; it decides nothing."""

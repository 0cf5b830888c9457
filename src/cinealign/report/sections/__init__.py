"""The sections of the report, one file each: which facts, in which order, with which verdicts."""

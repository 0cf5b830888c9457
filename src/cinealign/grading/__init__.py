"""The teacher's desk: a folder of submissions becomes a table with evidence. Nothing of a submission is executed."""

"""What a data folder holds, before anything is learned from it."""

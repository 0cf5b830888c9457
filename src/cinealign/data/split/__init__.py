"""Which items may be learned from: train.txt read, made anew, and written down with how it was made."""

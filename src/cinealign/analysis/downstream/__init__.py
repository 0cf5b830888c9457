"""Question 3: what are the aligned features good for? Each task is really run, against proper baselines."""

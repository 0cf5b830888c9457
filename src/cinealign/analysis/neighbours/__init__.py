"""Question 2: what do the nearest neighbours share with a movie? Numbers, figures and tables."""

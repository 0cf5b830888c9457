"""Question 1: is what a poster shows related to what its intro tells? Numbers, figures and tables."""

"""Why one poster matches one intro: the numbers and their figure."""

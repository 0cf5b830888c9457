"""The catalogue: reading, cleaning and drawing posters, intros and splits."""

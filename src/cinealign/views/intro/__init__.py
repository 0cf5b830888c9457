"""Views of intros and other texts."""

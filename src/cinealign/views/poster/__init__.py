"""Views of posters."""

"""Views of both sides by one model that puts pictures and texts into one space."""

"""Views: frozen ways of looking at one side, and the store that keeps what they saw."""

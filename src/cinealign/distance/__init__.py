"""From vectors to the distance matrix D."""

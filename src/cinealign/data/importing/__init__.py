"""From a table and pictures of the user's own to a catalogue folder."""

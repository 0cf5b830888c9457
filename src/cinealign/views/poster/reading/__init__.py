"""The OCR reader: two networks, what lies between them, and how many posters go through them at a time."""

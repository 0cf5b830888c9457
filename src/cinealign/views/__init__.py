"""Views: features of one side, frozen or fitted, and the store that caches them."""

"""What a run has learned, looked at from outside: numbers first, rendering apart."""

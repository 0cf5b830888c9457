"""Contrastive losses over a batch of pairs, listed in docs/losses.md."""

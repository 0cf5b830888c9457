"""Losses: what a contrastive expert minimises over a batch of pairs; docs/losses.md lists them."""

"""The experts that are trained in epochs: contrastive heads or towers, and the two-tower network."""

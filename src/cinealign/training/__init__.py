"""Training by gradient: networks, losses, the training loop and the experts made of them.

| folder | what |
|---|---|
| networks/ | modules of PyTorch: towers, heads and the two-tower network |
| losses/ | contrastive losses over a batch of pairs |
| loop/ | the training loop: settings, batches, schedules, optimisers and averaged weights |
| experts/ | `contrastive` and `network`, the experts that are trained by it |

Closed forms and what an expert is stand in `cinealign.experts`, which knows nothing of this room.
"""

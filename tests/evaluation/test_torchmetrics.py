"""recall@k agrees with an implementation that others wrote."""

import numpy as np
import torch
from torchmetrics.functional.retrieval import retrieval_hit_rate, retrieval_reciprocal_rank

from cinealign.evaluation.metrics import evaluate_vectors


def test_recall_and_mrr_equal_torchmetrics():
    random = np.random.default_rng(0)
    poster = random.normal(size=(70, 6))
    intro = 0.5 * poster + random.normal(size=(70, 6))
    poster, intro = ((v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32) for v in (poster, intro))
    metrics = evaluate_vectors(poster, intro, np.arange(70), np.arange(40), samples=10)
    similarities = torch.from_numpy(1 + poster @ intro.T)  # torchmetrics takes what is not above 0 for irrelevant
    for direction, products in (("poster_to_intro", similarities), ("intro_to_poster", similarities.T)):
        for split, rows in (("all", range(70)), ("held_out", range(40, 70))):
            ours = metrics["ranks"][direction][split]
            for k in (1, 5, 10):
                hits = [retrieval_hit_rate(products[row], torch.arange(70) == row, top_k=k).item() for row in rows]
                assert abs(ours[f"recall@{k}"] - np.mean(hits)) < 1e-6
            mrr = np.mean([retrieval_reciprocal_rank(products[row], torch.arange(70) == row).item() for row in rows])
            assert abs(ours["mrr"] - mrr) < 1e-6

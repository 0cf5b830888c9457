"""Vectors of both sides in place of D score what their cosines score; what cannot be used is said."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from cinealign.evaluation.metrics import evaluate_distances
from cinealign.grading.judging import judge
from cinealign.grading.unpacking import Limits


@pytest.mark.parametrize("form", ["two files", "npz", "safetensors", "bare npz"])
def test_vectors_score_what_their_cosines_score(form, finished, sample, tmp_path):
    poster, intro = (np.asarray(side, dtype=np.float32) * 3 for side in finished.vectors)
    folder = tmp_path / "s"
    folder.mkdir()
    if form == "two files":
        np.save(folder / "image_features.npy", poster)
        np.save(folder / "text_features.npy", intro)
    elif form == "safetensors":
        save_file({"poster": poster, "intro": intro}, folder / "embeddings.safetensors")
    else:
        np.savez(folder / "vectors.npz", posters=poster, intros=intro, poster_names=sample.ids)
    row = judge(folder / "vectors.npz" if form == "bare npz" else folder, tmp_path / "x", sample, Limits())
    assert row.kind == "vectors" and any("scored by cosine" in line for line in row.remarks)
    cosines = (poster @ intro.T) / np.linalg.norm(poster, axis=1)[:, None] / np.linalg.norm(intro, axis=1)
    expected = evaluate_distances(1 - cosines, None, sample.train_rows, samples=10)
    assert row.metrics["acc_sum"] == pytest.approx(expected["acc_sum"], abs=1e-9)
    assert row.verdict != "FAIL"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda side: side[:50], r"vectors of shapes"),
        (lambda side: side * np.nan, "not finite"),
        (lambda side: side * 0, "vectors are zero"),
        (lambda side: side.astype(complex), "real numbers"),
        (lambda side: side.astype(object), "not opened"),
    ],
)
def test_vectors_that_cannot_be_used_are_a_remark(change, said, finished, sample, tmp_path):
    poster, intro = (np.asarray(side, dtype=np.float32) for side in finished.vectors)
    folder = tmp_path / "s"
    folder.mkdir()
    np.save(folder / "poster.npy", change(poster), allow_pickle=True)
    np.save(folder / "intro.npy", intro)
    row = judge(folder, tmp_path / "x", sample, Limits())
    assert not row.metrics and any(said in line for line in row.remarks), row.remarks

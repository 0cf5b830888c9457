"""Vectors of both sides in place of D score what their cosines score; what cannot be used is said."""

import os

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file

from cinealign.distance.tables import read_lines
from cinealign.evaluation.metrics import evaluate_distances
from cinealign.grading.judging import judge
from cinealign.grading.unpacking import Limits


@pytest.mark.parametrize(
    "form", ["two files", "npz", "safetensors", "bare npz", "two pt", "pt", "csv", "csv with ids", "npz with ids"]
)
def test_vectors_score_what_their_cosines_score(form, finished, sample, tmp_path):
    poster, intro = (np.asarray(side, dtype=np.float32) * 3 for side in finished.vectors)
    folder = tmp_path / "s"
    folder.mkdir()
    if form == "two files":
        np.save(folder / "image_features.npy", poster)
        np.save(folder / "text_features.npy", intro)
    elif form == "safetensors":
        save_file({"poster": poster, "intro": intro}, folder / "embeddings.safetensors")
    elif form == "two pt":
        torch.save(torch.from_numpy(poster), folder / "img_emb.pt")
        torch.save({"features": torch.from_numpy(intro)}, folder / "txt_emb.pt")
    elif form == "pt":
        torch.save({"image": torch.from_numpy(poster), "text": torch.from_numpy(intro)}, folder / "both.pt")
    elif form.startswith("csv"):
        order = np.random.default_rng(0).permutation(len(poster)) if "ids" in form else np.arange(len(poster))
        for side, values in (("poster", poster[order]), ("intro", intro)):
            frame = pd.DataFrame(
                values, index=pd.Index(sample.ids[order if side == "poster" else slice(None)], name="movieId")
            )
            frame.to_csv(folder / f"{side}_vectors.csv", index="ids" in form)
    elif form == "npz with ids":
        order = np.random.default_rng(0).permutation(len(poster))
        np.savez(folder / "v.npz", image=poster[order], text=intro[order], ids=sample.ids[order])
    else:
        np.savez(folder / "vectors.npz", posters=poster, intros=intro, poster_names=sample.ids)
    row = judge(folder / "vectors.npz" if form == "bare npz" else folder, tmp_path / "x", sample, Limits())
    assert row.kind == "vectors" and any("scored by cosine" in line for line in row.remarks)
    cosines = (poster @ intro.T) / np.linalg.norm(poster, axis=1)[:, None] / np.linalg.norm(intro, axis=1)
    expected = evaluate_distances(1 - cosines, None, sample.train_rows, samples=10)
    assert row.metrics["acc_sum"] == pytest.approx(expected["acc_sum"], abs=1e-9)
    assert row.verdict != "FAIL"


def test_zero_vectors_are_as_far_from_everything_and_said(finished, sample, tmp_path):
    poster, intro = (np.array(side, dtype=np.float32) for side in finished.vectors)
    poster[[3, 5]] = 0  # posters on which a model finds nothing
    folder = tmp_path / "s"
    folder.mkdir()
    np.savez(folder / "v.npz", image=poster, text=intro)
    row = judge(folder, tmp_path / "x", sample, Limits())
    cosines = (poster @ intro.T) / np.maximum(np.linalg.norm(poster, axis=1), 1e-9)[:, None]
    expected = evaluate_distances(1 - cosines / np.linalg.norm(intro, axis=1), None, sample.train_rows, samples=10)
    assert row.metrics["acc_sum"] == pytest.approx(expected["acc_sum"], abs=1e-9)
    assert any(f"2 of {len(sample)} poster vectors are zero" in line for line in row.remarks)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda side: side[:50], r"vectors of shapes"),
        (lambda side: side * np.nan, "not finite"),
        (lambda side: side * 0, "all vectors of a side are zero"),
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


def test_a_pickle_among_vectors_is_not_opened(tmp_path, sample, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "s"
    folder.mkdir()
    torch.save({"image": Opener(), "text": Opener()}, folder / "both.pt")
    torch.save(Opener(), folder / "poster.pt")
    torch.save(Opener(), folder / "intro.pt")
    row = judge(folder, tmp_path / "x", sample, Limits())
    assert not row.metrics and any("not opened" in line for line in row.remarks), row.remarks
    assert not (tmp_path / "opened").exists() and not (folder / "opened").exists()


class Opener:
    def __reduce__(self):
        return os.system, ("touch opened",)


@pytest.mark.parametrize(
    ("text", "values", "labels"),
    [
        ("1.5,2\n3,4\n", [[1.5, 2], [3, 4]], None),
        ("0,1\n1.5,2\n3,4\n", [[1.5, 2], [3, 4]], None),
        (",0,1\n7,1.5,2\n9,3,4\n", [[1.5, 2], [3, 4]], (7, 9)),
        ("movie_id,a,b\n7,1.5,2\n9,3,4\n", [[1.5, 2], [3, 4]], (7, 9)),
        ("a;b\n1,5;2\n3;4\n", [[1.5, 2], [3, 4]], None),
    ],
)
def test_lines_of_vectors_with_and_without_titles(tmp_path, text, values, labels):
    (tmp_path / "v.csv").write_text(text)
    found = read_lines(tmp_path / "v.csv")
    assert found.values.tolist() == values and found.rows == labels

"""Submissions in every form: honest ones score as they should, fakes and damage are named in their own rows."""

import contextlib
import csv
import html
import json
import os
import shutil
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch

from cinealign.cli.app import main
from cinealign.distance.distances import distance_matrix
from cinealign.grading.desk import grade, submissions
from cinealign.grading.judging import Judged, judge
from cinealign.grading.notebooks import passages
from cinealign.grading.recognition import NO_D, SAVE_D, claimed, recognise
from cinealign.grading.resemblance import Fingerprint, alike, differ_by_noise
from cinealign.grading.sheets import sheet
from cinealign.grading.table import write_grades
from cinealign.grading.unpacking import Limits
from cinealign.grading.words import said as in_language


@pytest.fixture(scope="module")
def D(finished):  # noqa: N802
    return distance_matrix(*finished.vectors)


@pytest.fixture
def judged(tmp_path, sample):
    def one(path):
        scratch = tmp_path / f"scratch-{path.name}"
        scratch.mkdir()
        return judge(path, scratch, sample, Limits())

    return one


def notebook(path, *outputs):
    cells = [
        {"cell_type": "code", "source": "", "outputs": [{"output_type": "stream", "text": [text]}]} for text in outputs
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return path


def zipped(folder, to):
    with zipfile.ZipFile(to, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return to


@pytest.mark.parametrize("form", ["npy", "csv", "npz", "pt", "transposed"])
def test_a_foreign_matrix_scores_what_the_run_scores(tmp_path, D, form, finished, sample, judged):
    folder = tmp_path / "2024001"
    folder.mkdir()
    if form == "npy":
        np.save(folder / "D.npy", D)
    elif form == "csv":
        order = np.random.default_rng(0).permutation(len(D))
        pd.DataFrame(D, index=sample.ids, columns=sample.ids).iloc[order].to_csv(folder / "distances.csv")
    elif form == "npz":
        np.savez(folder / "my_dist.npz", D=D, ids=sample.ids)
    elif form == "pt":
        torch.save(torch.from_numpy(D), folder / "D.pt")
    else:
        np.save(folder / "D.npy", D.T)
    (folder / "report.pdf").write_bytes(b"%PDF")
    accuracies = [finished.metrics[direction]["all"] for direction in ("poster_to_intro", "intro_to_poster")]
    notebook(folder / "work.ipynb", f"acc1 = {accuracies[0]:.4f}\n", f"acc2: {100 * accuracies[1]:.2f} %")
    row = judged(zipped(folder, tmp_path / "2024001.zip"))
    assert row.name == "2024001" and row.kind == "matrix"
    assert row.metrics["acc_sum"] == finished.metrics["acc_sum"]
    assert row.verdict != "FAIL", row.findings
    assert row.claims == pytest.approx(accuracies, abs=1e-4)
    assert not any("claims" in line for line in row.remarks)
    assert any("transposed" in line for line in row.remarks) == (form == "transposed")


def test_a_submission_of_our_own_is_made_again_from_its_model(finished, tmp_path, judged):
    shutil.copytree(finished.folder, tmp_path / "s" / "run", ignore=shutil.ignore_patterns("vectors.safetensors"))
    row = judged(tmp_path / "s")
    assert (row.kind, row.verdict) == ("run", "PASS"), row.findings
    assert row.metrics["acc_sum"] == finished.metrics["acc_sum"]
    changed = tmp_path / "s" / "run" / "metrics.json"
    metrics = json.loads(changed.read_text())
    metrics["poster_to_intro"]["all"] = 0.95
    changed.write_text(json.dumps(metrics))
    row = judged((tmp_path / "s").rename(tmp_path / "t"))
    assert row.verdict == "FAIL"
    assert "metrics.json is not what the vectors give" in " ".join(one.said for one in row.findings)


def test_fakes_are_found_and_claims_are_compared(tmp_path, D, finished, judged):
    folder = tmp_path / "fake"
    folder.mkdir()
    held_out = np.setdiff1d(np.arange(len(D)), finished.train_rows)
    lowered = D.copy()
    lowered[held_out, held_out] -= 0.5
    np.save(folder / "D.npy", lowered)
    notebook(folder / "n.ipynb", "accuracy 0.99", "accuracy 0.98")
    row = judged(folder)
    assert row.verdict == "FAIL" and "strong sign" in {one.strength for one in row.findings}
    half = finished.metrics["ratio_0.5"]
    notebook(folder / "n.ipynb", *(f"acc {half[one]['all']:.4f}" for one in ("poster_to_intro", "intro_to_poster")))
    np.save(folder / "D.npy", D)
    assert any(
        "which D gives at ratio 0.5, not at 0.05" in line for line in judged(folder.rename(tmp_path / "half")).remarks
    )


class Opener:
    def __reduce__(self):
        return os.system, ("touch opened",)


def test_damage_pickles_and_nothing_are_remarks(tmp_path, D, judged, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"PK no zip")
    np.save("b.npy", np.array([[Opener()]], dtype=object), allow_pickle=True)
    torch.save(Opener(), "c.pt")
    np.save("d.npy", D[:100, :100])
    (tmp_path / "e.rar").write_bytes(b"Rar!")
    (tmp_path / "f").mkdir()
    notebook(tmp_path / "f" / "n.ipynb", "nothing")
    expected = {
        "a.zip": "cannot be unpacked",
        "b.npy": "not opened",
        "c.pt": "not opened",
        "d.npy": "100 rows but the data have 240",
        "e.rar": ".rar is not read",
        "f": "no D; the sheet shows",
    }
    for name, said in expected.items():
        row = judged(tmp_path / name)
        assert row.verdict == "-" and not row.metrics
        assert any(said in line for line in row.remarks), row.remarks
    assert not (tmp_path / "opened").exists()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_bare_notebook_is_told_how_to_save_d(tmp_path, sample, judged, lang):
    folder = tmp_path / "submissions"
    folder.mkdir()
    row = judged(notebook(folder / "li.ipynb", "acc1 = 0.6512\nacc2 = 66.1%"))
    assert (row.name, row.kind, row.claims) == ("li", "-", pytest.approx([0.6512, 0.661]))
    assert row.remarks == ["no report (PDF)", NO_D] and len(row.notebooks) == 1
    page = sheet(row, [], lang)
    assert "0.6512, 0.6610" in page and len(SAVE_D.splitlines()) == 3
    saved = html.unescape(page.partition("<pre>")[2].partition("</pre>")[0])
    given = np.arange(6.0).reshape(2, 3)
    with contextlib.chdir(tmp_path):
        exec(saved, {"D": given})
    assert (np.load(tmp_path / "D.npy") == given).all()


def test_what_systems_leave_behind_is_no_submission_and_no_part_of_one(tmp_path, D, judged):
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name in ("Thumbs.db", "desktop.ini", "~$grades.xlsx", ".DS_Store"):
        (folder / name).write_bytes(b"x")
    np.save(tmp_path / "distance.npy", D)
    with zipfile.ZipFile(folder / "mac.zip", "w") as archive:
        archive.write(tmp_path / "distance.npy", "hand-in/distance.npy")
        archive.writestr("__MACOSX/hand-in/._distance.npy", b"\0\5\x16\7" * D.nbytes)  # larger than D, as is its icon
        archive.writestr("__MACOSX/hand-in/._story.ipynb", b"\0\5\x16\7")
        archive.writestr("__MACOSX/hand-in/._report.pdf", b"\0\5\x16\7")
    assert [path.name for path in submissions(folder)] == ["mac.zip"]
    row = judged(folder / "mac.zip")
    assert row.metrics and row.remarks == ["no notebook", "no report (PDF)"]


@pytest.mark.parametrize("other", ["D2.npy", "D_final.npy", "D (1).npy"])
def test_a_second_d_is_named(tmp_path, D, other, judged):
    np.save(tmp_path / "D.npy", D)
    np.save(tmp_path / other, D[::-1])
    row = judged(tmp_path)
    assert "2 files could be D; D.npy is taken, the others are not read" in row.remarks


def test_an_archive_inside_is_named_in_both_languages(tmp_path, judged):
    (tmp_path / "work.zip").write_bytes(b"PK")
    remarks = judged(tmp_path).remarks
    assert "archives inside are not opened: work.zip" in remarks
    chinese = [in_language(line, "zh") for line in remarks]
    assert not any("ask for" in line or "last cell" in line or "inside" in line for line in chinese), chinese


def test_two_submissions_of_one_name_keep_their_own_points(tmp_path, D, sample):
    np.save(tmp_path / "1001.npy", D)
    np.savetxt(tmp_path / "1001.csv", D[:5, :5])
    np.savetxt(tmp_path / "1002.csv", D[:5, :5])
    assert [row.name for row in grade(tmp_path, sample)] == ["1001.csv", "1001.npy", "1002"]


def test_a_notebook_that_windows_saved_is_read(tmp_path):
    path = notebook(tmp_path / "N.IPYNB", "accuracy 0.812")
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert recognise(tmp_path).claims == (0.812,) and passages(path) is not None


def test_claims_are_read_from_outputs_in_both_languages(tmp_path):
    path = notebook(tmp_path / "n.ipynb", "loss 0.31\nacc1=0.6512\n准确率: 66.1%\nTrain accuracy (epoch 3) 0.99")
    assert claimed(path) == pytest.approx([0.6512, 0.661, 0.99], abs=1e-9) or claimed(path)[:2] == pytest.approx(
        [0.6512, 0.661]
    )


def test_copies_are_found_through_scale_noise_and_order(tmp_path, D, judged):
    random = np.random.default_rng(0)
    order = random.permutation(len(D))
    made = {
        "first": D,
        "scaled": 3 * D + 1,
        "noisy": D + random.normal(0, 0.01 * D.std(), D.shape).astype(np.float32),
        "noisier": D + random.normal(0, 0.3 * D.std(), D.shape).astype(np.float32),
        "shuffled": D[np.ix_(order, order)],
        "shuffled with noise": D[np.ix_(order, order)] + random.normal(0, 0.05 * D.std(), D.shape).astype(np.float32),
        "other": 1 - random.normal(size=(len(D), 9)) @ random.normal(size=(9, len(D))),
    }
    for name, matrix in made.items():
        np.save(tmp_path / f"{name}.npy", matrix)
    rows = [judged(tmp_path / f"{name}.npy") for name in made]
    found = {(one.name, other.name): said for one, other, said in alike(rows)}
    assert found["first", "scaled"].startswith("the same matrix")
    assert "the same matrix but for noise without any pattern" in found["first", "noisy"]
    assert "the same matrix but for noise" in found["first", "noisier"]
    assert "the same matrix but for noise" in found["scaled", "noisier"]
    assert found["first", "shuffled"] == "the same matrix with items in another order"
    assert found["noisy", "shuffled with noise"] == "the same matrix with items in another order"
    assert not any("other" in pair for pair in found)


def test_a_folder_becomes_a_table_and_the_teachers_columns_stay(tmp_path, D, sample_folder, capsys):
    folder, out = tmp_path / "submissions", tmp_path / "out"
    folder.mkdir()
    np.save(folder / "1001.npy", D)
    (folder / "=1002.zip").write_bytes(b"no zip")
    (folder / "1003.npy").symlink_to(folder / "1001.npy")
    with pytest.raises(SystemExit) as ended:
        main(["grade", str(folder), "--data", str(sample_folder), "--out", str(out)])
    assert ended.value.code == 0, capsys.readouterr().err
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        lines = {line["submission"]: line for line in csv.DictReader(file)}
    assert set(lines) == {"1001", "'=1002", "1003"}
    assert float(lines["1001"]["sum"]) > 0 and lines["1001"]["course_score"]
    assert "cannot be unpacked" in lines["'=1002"]["remarks"] and lines["1003"]["remarks"] == "a link is not followed"
    text = (out / "grades.csv").read_text(encoding="utf-8-sig")
    text = text.replace("comment\n", "comment,oral\n").replace("\n1001,", "\n1001,", 1)
    rows = list(csv.reader(text.splitlines()))
    at = rows[0].index("points_solution")
    for row in rows[1:]:
        row += [""] * (len(rows[0]) - len(row))
        row[at] = "55" if row[0] == "1001" else ""
    with (out / "grades.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    (folder / "1003.npy").unlink()
    gone = write_grades([], [], out)
    assert set(gone) == {"1001", "=1002", "1003"}
    with (out / "grades.csv").open(encoding="utf-8-sig", newline="") as file:
        again = {line["submission"]: line for line in csv.DictReader(file)}
    assert again["1001"]["points_solution"] == "55"
    assert "<script" not in (out / "index.html").read_text()


def test_a_submission_that_breaks_or_holds_up_its_reader_breaks_its_row_only(tmp_path, D, sample):
    folder = tmp_path / "submissions"
    folder.mkdir()
    np.save(folder / "a.npy", D)
    rows = grade(folder, sample, seconds=0.01)
    assert rows[0].remarks == ["took more than 0.01 s"]
    rows = grade(folder, sample, memory=1)
    assert len(rows) == 1 and not rows[0].metrics and rows[0].remarks


def test_relatives_of_one_public_model_are_no_copies():
    """A trained head on a frozen model: highly correlated, but what differs has few dimensions."""
    random = np.random.default_rng(0)
    poster, intro = random.normal(size=(2, 300, 40))
    turn = np.eye(40) + 0.05 * random.normal(size=(40, 40))
    frozen, trained = Fingerprint.of(poster @ intro.T), Fingerprint.of(poster @ turn @ intro.T)
    assert 0.8 < float(frozen.ranks @ trained.ranks) < 0.98
    assert not differ_by_noise(frozen.block, trained.block)
    rows = [Judged(name, fingerprint=one) for name, one in (("a", frozen), ("b", trained))]
    assert list(alike(rows)) == []
    standard = random.normal(size=(2, 300, 300))
    standard = (standard - standard.mean(axis=2, keepdims=True)) / standard.std(axis=2, keepdims=True)
    rows = [Judged(str(at), fingerprint=Fingerprint.of(D)) for at, D in enumerate(standard)]
    assert list(alike(rows)) == []  # rows of equal means and spreads are no sign of another order

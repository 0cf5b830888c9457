import json
import shutil

import numpy as np
import pandas as pd
import pytest

from cinealign.cli.app import main
from cinealign.distance.distances import distance_matrix
from cinealign.run import Run


def called(capsys, *arguments):
    """Exit code and stdout."""
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code, capsys.readouterr()


@pytest.fixture
def warm(store, monkeypatch):
    monkeypatch.setenv("CINEALIGN_CACHE", str(store.folder))


def test_slices_and_geometry_of_a_run(finished, sample_folder, warm, capsys):
    code, shown = called(capsys, "slices", finished.folder, "--data", sample_folder, "--json")
    assert code == 0
    entries = json.loads(shown.out)
    assert entries[0]["attribute"] == "all"
    assert {"genre", "decade", "intro length (words)", "poster colourfulness"} <= {e["attribute"] for e in entries}
    code, shown = called(capsys, "slices", finished.folder, "--data", sample_folder)
    said = " ".join(shown.out.split())  # a long path breaks the line
    assert "each held-out query searches all N = 240 items, top 5 % (k = 12), chance 0.050" in said
    assert "no view of this recipe reads it" in shown.out
    code, shown = called(capsys, "geometry", finished.folder, "--data", sample_folder, "--json")
    measures = json.loads(shown.out)
    assert [entry["expert"] for entry in measures["cka"]] == ["cca", "contrastive", "memory"]
    assert all(0 <= entry[when] <= 1 + 1e-9 for entry in measures["cka"] for when in ("before", "after"))
    code, shown = called(capsys, "geometry", finished.folder, "--data", sample_folder)
    assert code == 0
    assert "worst hubs, poster to intro: " in shown.out


def test_diff_compares_runs_of_one_catalogue_only(finished, tmp_path, capsys):
    shutil.copytree(finished.folder, tmp_path / "again")
    code, shown = called(capsys, "diff", finished.folder, tmp_path / "again", "--json")
    assert code == 0
    assert json.loads(shown.out)["pairs"][0]["sum"]["difference"] == 0
    saved = json.loads((tmp_path / "again" / "catalogue.json").read_text())
    (tmp_path / "again" / "catalogue.json").write_text(json.dumps({**saved, "digest": "0"}))
    code, shown = called(capsys, "diff", finished.folder, tmp_path / "again")
    assert code == 2
    assert "were made from different data or splits" in shown.err


def test_evaluate_by_intro_and_with_a_permutation_test(finished, sample_folder, capsys):
    code, shown = called(
        capsys,
        "evaluate",
        finished.folder,
        "--identity",
        "intro",
        "--data",
        sample_folder,
        "--permutation-test",
        "--json",
    )
    assert code == 0
    metrics = json.loads(shown.out)
    assert metrics["identity"] == "intro"
    assert 0 < metrics["permutation_test"]["p"] <= 1
    assert metrics["acc_sum"] >= Run(finished.folder).metrics["acc_sum"]


def test_a_labelled_matrix_is_scored_in_the_order_of_the_data(finished, sample, sample_folder, tmp_path, capsys):
    """Columns sorted as text used to be scored as they stood."""
    table = pd.DataFrame(distance_matrix(*finished.vectors), index=sample.ids, columns=sample.ids)
    table.to_csv(tmp_path / "plain.csv", header=False, index=False)
    table[sorted(sample.ids, key=str)].to_csv(tmp_path / "sorted.csv")
    _, plain = called(capsys, "evaluate", tmp_path / "plain.csv", "--data", sample_folder, "--json")
    code, shown = called(capsys, "evaluate", tmp_path / "sorted.csv", "--data", sample_folder, "--json")
    assert code == 0 and json.loads(shown.out) == json.loads(plain.out)
    assert "columns put into the order of the data by their labels" in shown.err
    for command in (["evaluate"], ["audit", "--distances"]):
        code, shown = called(capsys, *command, tmp_path / "sorted.csv", "--train-ids", sample_folder / "train.txt")
        assert code == 2 and "sorted as text" in shown.err


def test_evaluate_takes_the_split_that_is_named_beside_the_data(finished, sample, sample_folder, tmp_path, capsys):
    np.save(tmp_path / "D.npy", distance_matrix(*finished.vectors))
    (tmp_path / "mine.txt").write_text("".join(f"{row}\n" for row in range(30)))
    split = ["--data", sample_folder, "--train-ids", tmp_path / "mine.txt"]
    code, shown = called(capsys, "evaluate", tmp_path / "D.npy", *split, "--json")
    assert code == 0, shown.err
    assert json.loads(shown.out)["ranks"]["poster_to_intro"]["train"]["queries"] == 30
    assert f"mine.txt: 30 train items, read as {sample.report.train_read_as}\n" in shown.err
    assert called(capsys, "audit", "--distances", tmp_path / "D.npy", *split)[0] in (0, 1, 3)
    split = ["--data", sample_folder, "--train-ids", tmp_path / "none.txt"]
    assert called(capsys, "evaluate", tmp_path / "D.npy", *split)[0] == 2


def test_audit_of_a_matrix_exits_with_1_on_fail_and_3_where_it_is_open(finished, sample_folder, tmp_path, capsys):
    D = distance_matrix(*finished.vectors)  # of full rank: numbers alone do not bind its diagonal
    np.save(tmp_path / "D.npy", D)
    code, shown = called(capsys, "audit", "--distances", tmp_path / "D.npy", "--data", sample_folder)
    assert code == 3, shown.out
    assert shown.out.splitlines()[-1].startswith("NOTE, neither PASS nor FAIL: ")
    u, sizes, vt = np.linalg.svd(D.astype(np.float64))
    np.save(tmp_path / "few.npy", (u[:, :40] * sizes[:40]) @ vt[:40])
    split = ["--train-ids", sample_folder / "train.txt"]
    code, shown = called(capsys, "audit", "--distances", tmp_path / "few.npy", *split)
    assert code == 0 and shown.out.splitlines()[-1].startswith("PASS: "), shown.out
    D[3] = np.nan
    np.save(tmp_path / "D.npy", D)
    code, shown = called(capsys, "audit", "--distances", tmp_path / "D.npy", "--train-ids", sample_folder / "train.txt")
    assert code == 1
    assert shown.out.startswith("FAIL  finite: ")
    code, shown = called(capsys, "audit")
    assert code == 2
    assert "name a run directory, or pass --distances FILE" in shown.err


def test_an_unpacked_submission_without_vectors_is_scored_saved_and_audited(finished, sample_folder, tmp_path, capsys):
    """`submit` leaves vectors out; three FAIL were the verdict on an honest one."""
    folder = tmp_path / "12345"
    shutil.copytree(finished.folder, folder / "run", ignore=shutil.ignore_patterns("vectors.safetensors"))
    code, shown = called(capsys, "evaluate", folder, "--data", sample_folder, "--json")
    assert code == 0, shown.err
    assert json.loads(shown.out)["acc_sum"] == finished.metrics["acc_sum"]
    assert "making them again with its model" in shown.err
    code, shown = called(capsys, "distances", folder / "run", "--data", sample_folder, "--out", tmp_path / "D.npy")
    assert code == 0, shown.err
    np.testing.assert_allclose(np.load(tmp_path / "D.npy"), distance_matrix(*finished.vectors), atol=1e-5)
    code, shown = called(capsys, "audit", folder, "--data", sample_folder)
    assert code == 0, shown.out
    assert "NOTE  vectors: left out of this folder" in shown.out
    assert "comes out again from the vectors that the saved model makes" in shown.out
    code, shown = called(capsys, "slices", folder / "run", "--data", sample_folder)
    assert code == 2 and "a submission leaves vectors out" in shown.err
    elsewhere = tmp_path / "none"
    code, shown = called(capsys, "evaluate", folder, "--data", elsewhere)
    assert code == 2 and "has no vectors, and its model needs the data to make them" in shown.err


def test_show_does_not_print_a_number_beside_an_interval_that_it_lies_outside(finished, tmp_path, capsys):
    folder = tmp_path / "changed"
    shutil.copytree(finished.folder, folder)
    metrics = json.loads((folder / "metrics.json").read_text())
    low, high = metrics["intervals"]["poster_to_intro"]["held_out"]
    metrics["poster_to_intro"]["held_out"] = 0.99
    (folder / "metrics.json").write_text(json.dumps(metrics))
    assert high < 0.9
    code, shown = called(capsys, "show", folder)
    assert code == 0
    assert f"held-out: 0.9900 lies outside its own interval {low:.3f} to {high:.3f}" in shown.err
    assert called(capsys, "show", finished.folder)[1].err == ""


def test_evaluate_says_what_is_implausible(finished, sample_folder, tmp_path, capsys):
    D, split = distance_matrix(*finished.vectors), ["--data", sample_folder]
    held_out = np.setdiff1d(np.arange(len(D)), finished.train_rows)
    shuffled = np.random.default_rng(0).permutation(len(D))
    lowered = D.copy()
    lowered[held_out, held_out] -= 1
    for matrix, said in (
        (-D, "partners stand in the farther half"),
        (D[shuffled], "are rows and columns of D both in the order of the data?"),
        (lowered, "found as surely as train pairs"),
    ):
        np.save(tmp_path / "D.npy", matrix)
        code, shown = called(capsys, "evaluate", tmp_path / "D.npy", *split)
        assert code == 0 and said in shown.err and "cinealign audit" in shown.err
    np.save(tmp_path / "D.npy", D[:12, :12])
    (tmp_path / "train.txt").write_text("0 1 2")
    code, shown = called(capsys, "evaluate", tmp_path / "D.npy", "--train-ids", tmp_path / "train.txt")
    assert code == 0 and "the nearest 5 % of N = 12 are k = 0 items, so no query can succeed" in shown.out
    assert "0.0000" not in shown.out.splitlines()[4]

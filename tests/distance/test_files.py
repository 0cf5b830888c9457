import numpy as np
import pandas as pd
import pytest

import cinealign.distance.files as files
from cinealign.distance.distances import distance_matrix
from cinealign.distance.files import load_distances, save_distances
from cinealign.errors import ConfigError, DataError


@pytest.fixture
def vectors():
    generator = np.random.default_rng(5)
    return generator.normal(size=(23, 6)).astype(np.float32), generator.normal(size=(23, 6)).astype(np.float32)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv"])
def test_what_is_saved_comes_back_bit_by_bit(tmp_path, vectors, suffix, monkeypatch):
    path = tmp_path / f"D{suffix}"
    path.write_text("an older file")
    save_distances(path, *vectors)
    D = load_distances(path)
    np.testing.assert_array_equal(D.astype(np.float32), distance_matrix(*vectors))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_npy_is_mapped_and_not_read(tmp_path, vectors):
    save_distances(tmp_path / "D.npy", *vectors)
    assert isinstance(load_distances(tmp_path / "D.npy"), np.memmap)


def test_a_large_file_is_announced(tmp_path, vectors, capsys, monkeypatch):
    save_distances(tmp_path / "D.npy", *vectors)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(files, "ANNOUNCED_BYTES", 100)
    save_distances(tmp_path / "D.npy", *vectors)
    assert "writing D.npy: 23 x 23 distances" in capsys.readouterr().err


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path, vectors, monkeypatch):
    path = tmp_path / "D.npy"
    save_distances(path, *vectors)
    before = path.read_bytes()

    def broken(*_args, **_options):
        yield 0, np.zeros((1, 23), dtype=np.float32)
        raise OSError("disk full")

    monkeypatch.setattr(files, "distance_chunks", broken)
    with pytest.raises(ConfigError, match=r"D.npy cannot be written: disk full; choose another place"):
        save_distances(path, *vectors)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["D.npy"]


def test_tables_of_pandas_are_understood(tmp_path):
    table = pd.DataFrame([[0.5, 1], [2, 3]], index=[11, 12], columns=[11, 12])
    table.to_csv(tmp_path / "framed.csv")
    table.to_csv(tmp_path / "plain.csv", header=False, index=False)
    for name in ("framed.csv", "plain.csv"):
        assert load_distances(tmp_path / name).tolist() == [[0.5, 1], [2, 3]]


def test_npz_with_more_arrays_needs_one_called_d(tmp_path):
    D = np.array([[0.0, 1], [2, 3]])
    np.savez(tmp_path / "a.npz", D=D, other=np.zeros(3))
    assert load_distances(tmp_path / "a.npz").tolist() == D.tolist()
    np.savez(tmp_path / "b.npz", first=D, other=D)
    with pytest.raises(DataError, match="holds first, other; give one array, or call it D"):
        load_distances(tmp_path / "b.npz")


def test_refusals_say_what_is_wrong(tmp_path):
    def saved(name, array):
        np.save(tmp_path / name, array)
        return tmp_path / name

    with pytest.raises(DataError, match="pickle or holds Python objects"):
        load_distances(saved("objects.npy", np.array([[None, 1], [2, 3]], dtype=object)))
    np.savez(tmp_path / "objects.npz", D=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="pickle or holds Python objects"):
        load_distances(tmp_path / "objects.npz")
    with pytest.raises(DataError, match="must be square, posters down and intros across; got 2 x 3"):
        load_distances(saved("wide.npy", np.zeros((2, 3))))
    with pytest.raises(DataError, match="must hold real numbers, got complex128"):
        load_distances(saved("complex.npy", np.zeros((2, 2), dtype=complex)))
    with pytest.raises(DataError, match="must hold real numbers, got bool"):
        load_distances(saved("bool.npy", np.zeros((2, 2), dtype=bool)))
    holed = np.zeros((3, 3))
    holed[2, 1] = np.nan
    with pytest.raises(DataError, match="row 2, column 1 is NaN"):
        load_distances(saved("holed.npy", holed))
    with pytest.raises(DataError, match=r"must be a \.npy, \.npz or \.csv file"):
        load_distances(tmp_path / "D.pkl")
    with pytest.raises(DataError, match="no such file"):
        load_distances(tmp_path / "none.npy")
    for name in ("torn.npy", "torn.npz"):
        (tmp_path / name).write_bytes(b"not what its name says")
        with pytest.raises(DataError, match="torn"):
            load_distances(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,x\n", "row 1, column 1 is not a number: 'x'"),
        ("1,2\n3\n", "row 1, column 1 is NaN"),
        ("1,2\n3,4,5\n", "cannot be read as .csv"),
        ("1,2\n", "must be square"),
        ("0.5,1\n1,2\n3,4\n", "must be square, posters down and intros across; got 3 x 2"),
        ("", "cannot be read as .csv"),
    ],
)
def test_csv_refusals(tmp_path, text, message):
    (tmp_path / "D.csv").write_text(text)
    with pytest.raises(DataError, match=message):
        load_distances(tmp_path / "D.csv")


def test_saving_refuses_another_kind_of_file_or_a_missing_folder(tmp_path, vectors):
    with pytest.raises(DataError, match=r"saved as \.npy, \.npz or \.csv"):
        save_distances(tmp_path / "D.mat", *vectors)
    with pytest.raises(DataError, match="no such folder"):
        save_distances(tmp_path / "none" / "D.npy", *vectors)

"""Foreign matrices: whatever format, labels, order and type they have, D comes back as it was meant, or is refused."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file
from scipy.io import savemat

from cinealign.distance.files import READERS, load_distances
from cinealign.distance.labels import as_labels
from cinealign.errors import DataError

EXAMPLES = 15 if settings.get_current_profile_name() == "quick" else settings().max_examples
EVERY = settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
SPELLINGS = {
    "plain": str,
    "float": lambda one: f"{one}.0",
    "zero-padded": lambda one: f"{one:06d}",
    "file names": lambda one: f"movie_{one}.jpg",
    "blanks": lambda one: f" {one} ",
}
TABLES = ("csv", "csv in UTF-16", "csv with semicolons", "csv with decimal commas", "tsv", "R", "parquet", "feather")
ARRAYS = ("npz", "safetensors", "pt", "mat")


def drawn(n, seed):
    return np.random.default_rng(seed).random((n, n)) + 0.25


@st.composite
def items(draw):
    """Ids of a catalogue, none of which can be taken for a row number, and two orders of them."""
    n = draw(st.integers(3, 14))
    ids = draw(st.lists(st.integers(100, 99_999), min_size=n, max_size=n, unique=True))
    return ids, draw(st.permutations(range(n))), draw(st.permutations(range(n)))


def write(folder, form, D, rows, columns, corner=""):
    """A file of D with these labels, as a program of that kind writes it."""
    path = folder / f"D.{form.partition(' ')[0]}"
    table = pd.DataFrame(D, index=rows, columns=columns)
    if form in ("csv", "csv with semicolons", "csv with decimal commas"):
        table.to_csv(
            path, index_label=corner, sep="," if form == "csv" else ";", decimal="," if "commas" in form else "."
        )
    elif form == "csv in UTF-16":  # what Excel calls Unicode text
        table.to_csv(path, index_label=corner, sep="\t", encoding="utf-16")
    elif form == "tsv":
        table.to_csv(path, index_label=corner, sep="\t")
    elif form == "R":
        path = folder / "D.csv"
        lines = [",".join(f'"{one}"' for one in columns)]
        lines += [
            ",".join([f'"{one}"', *(repr(float(cell)) for cell in line)]) for one, line in zip(rows, D, strict=True)
        ]
        path.write_text("\n".join(lines) + "\n")
    elif form == "parquet":
        table.to_parquet(path)
    elif form == "feather":
        table.rename(columns=str).reset_index().to_feather(path)
    elif form == "npz":
        np.savez_compressed(path, D=D, row_ids=np.array(rows), column_ids=np.array(columns))
    elif form == "safetensors":
        save_file({"D": D, "rows": as_numbers(rows), "columns": as_numbers(columns)}, path)
    elif form == "pt":
        torch.save({"D": torch.from_numpy(D), "rows": list(rows), "columns": list(columns)}, path)
    else:
        savemat(path, {"D": D, "rows": as_numbers(rows), "columns": as_numbers(columns)})
    return path


def as_numbers(labels):
    return np.array(as_labels(labels), dtype=np.int64)


@pytest.mark.parametrize("form", [*TABLES, *ARRAYS])
@EVERY
@given(
    given_items=items(), spelling=st.sampled_from(list(SPELLINGS)), corner=st.sampled_from(["", "id", "poster/intro"])
)
def test_labels_put_any_matrix_into_the_catalogues_order(tmp_path, form, given_items, spelling, corner):
    ids, down, across = given_items
    D = drawn(len(ids), sum(ids))
    said = [SPELLINGS[spelling](one) for one in ids]
    mixed = D[np.ix_(down, across)]
    path = write(tmp_path, form, mixed, [said[row] for row in down], [said[column] for column in across], corner)
    np.testing.assert_array_equal(load_distances(path, ids=ids), D)
    if list(down) != list(across):
        with pytest.raises(DataError, match="pass --data DIR"):
            load_distances(path)


@pytest.mark.parametrize("form", TABLES[:4])
@EVERY
@given(given_items=items(), side=st.sampled_from(["rows", "columns"]))
def test_labels_of_one_side_are_checked_and_never_scored_in_another_order(tmp_path, form, given_items, side):
    ids, order, _ = given_items
    D = drawn(len(ids), 0)
    mark = {"csv": ",", "tsv": "\t"}.get(form, ";")
    path = tmp_path / f"D.{form[:3]}"
    for places in (range(len(ids)), order):
        labels, index = [ids[place] for place in places], side == "rows"
        table = pd.DataFrame(D, index=labels if index else None, columns=None if index else labels)
        table.to_csv(path, sep=mark, header=not index, index=index, decimal="," if "commas" in form else ".")
        if list(places) == list(range(len(ids))):
            np.testing.assert_array_equal(load_distances(path, ids=ids), D)
        else:
            with pytest.raises(DataError, match="have no labels, so their order is not known"):
                load_distances(path, ids=ids)


@EVERY
@given(given_items=items(), form=st.sampled_from([*TABLES, *ARRAYS]), fault=st.sampled_from(["strange", "twice"]))
def test_labels_of_another_data_set_are_refused(tmp_path, given_items, form, fault):
    ids, _, _ = given_items
    labels = [*ids[:-1], 7 if fault == "strange" else ids[0]]
    path = write(tmp_path, "csv" if form == "feather" else form, drawn(len(ids), 0), labels, ids)
    with pytest.raises(DataError, match="not the ids of the data" if fault == "strange" else "more than once"):
        load_distances(path, ids=ids)


@EVERY
@given(
    kind=st.sampled_from(["<f8", ">f8", "<f4", ">f4", "<f2", "<i8", "|u1", ">i2"]),
    n=st.integers(2, 9),
    form=st.sampled_from(["npy", "npz", "mat", "packed mat"]),
    fortran=st.booleans(),
)
def test_any_type_of_number_and_order_of_memory_comes_back(tmp_path, kind, n, form, fortran):
    D = np.asarray(100 * drawn(n, n), dtype=kind, order="F" if fortran else "C")
    path = tmp_path / f"D.{form[-3:]}"
    if form in ("npy", "npz"):
        {"npy": np.save, "npz": np.savez}[form](path, D)
    else:
        D = D.astype(np.float32) if kind == "<f2" else D  # MATLAB has no half precision
        savemat(path, {"D": D, "more": "text beside it"}, do_compression=form == "packed mat")
    np.testing.assert_array_equal(load_distances(path), D)


def damaged(raw, kind, place):
    at = place % max(1, len(raw))
    if kind == "cut":
        return raw[:at]
    if kind == "flip":
        return raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :]
    if kind == "zeros":
        return raw[:at] + bytes(min(16, len(raw) - at)) + raw[at + 16 :]
    return raw[:at] + b"\xff\xfe(\x00" + raw[at:]


@pytest.mark.parametrize("form", ["npy", *TABLES, *ARRAYS])
@EVERY
@given(kind=st.sampled_from(["cut", "flip", "zeros", "insert"]), place=st.integers(0, 1 << 20))
def test_damage_ends_in_one_line_or_in_a_matrix(tmp_path, form, kind, place):
    """A flipped bit in plain numbers is another number; anything else is refused, and never ends in a traceback."""
    ids, D = list(range(100, 112)), drawn(12, 1)
    if form == "npy":
        path = tmp_path / "D.npy"
        np.save(path, D)
    else:
        path = write(tmp_path, form, D, ids, ids)
    whole = path.read_bytes()
    changed = path.with_name(f"changed{path.suffix}")
    changed.write_bytes(damaged(whole, kind, place))
    try:
        found = load_distances(changed, ids=ids)
    except DataError as error:
        assert "\n" not in str(error) and changed.name in str(error)
    else:
        assert found.shape == D.shape and not np.isnan(found).any()


@EVERY
@given(
    text=st.text(alphabet="0123456789.,;\t \"'\nabcé-+e#", max_size=120),
    suffix=st.sampled_from([".csv", ".tsv", ".txt"]),
)
def test_any_text_ends_in_one_line_or_in_a_matrix(tmp_path, text, suffix):
    (tmp_path / f"D{suffix}").write_text(text)
    try:
        found = load_distances(tmp_path / f"D{suffix}")
    except DataError:
        return
    assert found.ndim == 2 and found.shape[0] == found.shape[1]


def test_a_shape_beyond_all_memory_is_refused_before_room_is_made(tmp_path):
    header = {"descr": "<f8", "fortran_order": False, "shape": (2_000_000, 2_000_000)}
    with zipfile.ZipFile(tmp_path / "D.npz", "w") as archive, archive.open("D.npy", "w") as entry:
        np.lib.format.write_array_header_1_0(entry, header)
        entry.write(b"\0" * 64)
    with pytest.raises(DataError, match=r"D\.npy is not as long as it says"):
        load_distances(tmp_path / "D.npz")


class Opener:
    def __reduce__(self):
        return os.system, ("touch opened",)


def test_pickles_are_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("D.npy", np.array([[Opener()]], dtype=object), allow_pickle=True)
    torch.save({"D": Opener()}, "D.pt")
    pd.DataFrame({"a": [1.0]}).to_pickle("D.pth")
    for name in ("D.npy", "D.pt", "D.pth"):
        with pytest.raises(DataError, match=r"not opened|cannot be read"):
            load_distances(name)
    assert not (tmp_path / "opened").exists()


def test_row_numbers_as_labels_are_no_labels_unless_they_stand_in_another_order(tmp_path):
    D = drawn(12, 0)
    pd.DataFrame(D).to_csv(tmp_path / "D.csv")
    for ids in (None, range(50, 62), range(12)):
        np.testing.assert_array_equal(load_distances(tmp_path / "D.csv", ids=ids), D)
    with pytest.raises(DataError, match="can be item ids and row numbers alike, and the two name different items"):
        load_distances(tmp_path / "D.csv", ids=[*range(1, 12), 0])
    order = [*range(1, 12), 0]
    pd.DataFrame(D).iloc[order, order].to_csv(tmp_path / "D.csv")
    np.testing.assert_array_equal(load_distances(tmp_path / "D.csv", ids=range(50, 62)), D)
    with pytest.raises(DataError, match="row numbers in another order"):
        load_distances(tmp_path / "D.csv")


def test_a_corner_of_a_number_is_seen_where_row_and_column_are_labels(tmp_path):
    D, ids = drawn(6, 0), np.arange(40, 46)
    framed = np.zeros((7, 7))
    framed[0, 1:], framed[1:, 0], framed[1:, 1:] = ids, ids, D
    np.savetxt(tmp_path / "D.csv", framed, delimiter=",")
    np.testing.assert_array_equal(load_distances(tmp_path / "D.csv", ids=ids), D)
    np.savetxt(tmp_path / "plain.txt", D, header="distances of six posters")
    np.testing.assert_array_equal(load_distances(tmp_path / "plain.txt"), D)
    (tmp_path / "told.csv").write_text("sep=;\n;40;41\n40;0,5;1\n41;2;3,25\n")
    assert load_distances(tmp_path / "told.csv", ids=[40, 41]).tolist() == [[0.5, 1], [2, 3.25]]


def test_similarities_by_name_and_arrays_that_are_not_used_are_said(tmp_path, capsys):
    np.savez(tmp_path / "D.npz", sims=drawn(4, 0), split=np.arange(4))
    load_distances(tmp_path / "D.npz")
    said = capsys.readouterr().err
    assert "array 'sims' is read as distances, lower is nearer" in said
    assert "array 'split' is not used" in said


def test_minus_infinity_is_no_distance(tmp_path):
    D = drawn(5, 0)
    D[3, 3] = -np.inf
    np.save(tmp_path / "D.npy", D)
    with pytest.raises(DataError, match="row 3, column 3 is -inf, which no distance is"):
        load_distances(tmp_path / "D.npy")
    assert np.isneginf(load_distances(tmp_path / "D.npy", allow_nan=True)[3, 3])
    D[3, 3] = np.inf
    np.save(tmp_path / "D.npy", D)
    assert load_distances(tmp_path / "D.npy")[3, 3] == np.inf


def test_every_suffix_that_is_offered_is_tried_here():
    assert {f".{form.partition(' ')[0]}" for form in (*TABLES, *ARRAYS)} - {".R"} | {".npy", ".txt", ".pth"} == set(
        READERS
    )

"""Forty hostile archives beside an honest submission: each is survived with a line in its own row, and nothing runs."""

import gzip
import io
import json
import os
import pickle
import stat
import struct
import zipfile
from functools import partial

import numpy as np
import pytest
import torch

from cinealign.distance.distances import distance_matrix
from cinealign.grading.desk import grade
from cinealign.grading.judging import judge
from cinealign.grading.unpacking import Limits

SMALL = Limits(files=300, size=8_000_000)


class Opener:
    def __reduce__(self):
        return os.system, ("touch opened",)


def zipped(**files):
    """A zip of these names (`__` for a point, `_of_` for a slash) and contents."""
    return archive([(name.replace("_of_", "/").replace("__", "."), content) for name, content in files.items()])


def archive(entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            file.writestr(name, content)
    return packed.getvalue()


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def header(shape, kind="<f4", body=b""):
    """A .npy whose header claims `shape`."""
    text = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def saved(thing):
    file = io.BytesIO()
    torch.save(thing, file)
    return file.getvalue()


def notebook(**cell):
    return json.dumps({"cells": [{"cell_type": "code", "source": "", "outputs": []} | cell]})


def flagged_as_encrypted():
    raw = bytearray(zipped(a=b"secret"))
    raw[raw.find(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def lying_about_its_size():
    raw = bytearray(zipped(D__npy=bytes(50_000_000)))
    at = raw.find(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(raw)


def damaged(at):
    raw = bytearray(zipped(D__npy=npy(np.random.default_rng(0).random((60, 60)))))
    raw[at] ^= 0xFF
    return bytes(raw)


def safetensors(header_text, body=b""):
    text = header_text.encode()
    return struct.pack("<Q", len(text)) + text + body


N = 240
HUGE = "takes|cannot be read|larger"
HOSTILE = {
    # archives that are too much
    "bomb": (lambda: zipped(D__npy=bytes(50_000_000)), "larger than 8 MB"),
    "bomb in many files": (lambda: archive([(f"{at}", bytes(1_000_000)) for at in range(12)]), "larger than 8 MB"),
    "lying bomb": (lying_about_its_size, "cannot be unpacked|larger"),
    "too many files": (lambda: archive([(f"{at}", b"") for at in range(301)]), "301 files"),
    "nested": (lambda: zipped(inner__zip=zipped(D__npy=bytes(50_000_000))), "no D"),
    "encrypted": (flagged_as_encrypted, "encrypted"),
    # names that lead elsewhere
    "climbing": (lambda: archive([("../../opened", b"x")]), "leads elsewhere"),
    "absolute": (lambda: archive([("/tmp/opened", b"x")]), "leads elsewhere"),
    "backslashes": (lambda: archive([("..\\..\\opened", b"x")]), "leads elsewhere"),
    "drive": (lambda: archive([("C:/opened", b"x")]), "leads elsewhere"),
    "deep": (lambda: archive([("/".join(["a"] * 600), b"x")]), "leads elsewhere"),
    "long name": (lambda: archive([("x" * 4000, b"x")]), "leads elsewhere"),
    "line break": (lambda: archive([("a\nb\x1b[2J", b"x")]), "leads elsewhere"),
    "empty name": (lambda: archive([("./", b""), (".", b"x")]), "no D|leads elsewhere"),
    # no plain files
    "link": (lambda: archive([(entry("D.npy", stat.S_IFLNK | 0o777), b"/etc/passwd")]), "link or device"),
    "link to a folder": (
        lambda: archive([(entry("up", stat.S_IFLNK | 0o777), b"/tmp"), ("up/under", b"x")]),
        "link or device",
    ),
    "pipe": (lambda: archive([(entry("D.npy", stat.S_IFIFO | 0o666), b"")]), "link or device"),
    "device": (lambda: archive([(entry("D.npy", stat.S_IFCHR | 0o666), b"")]), "link or device"),
    # no archives
    "empty file": (lambda: b"", "cannot be unpacked"),
    "other kind": (lambda: b"Rar!\x1a\x07\x00" + bytes(100), "cannot be unpacked"),
    "cut off": (lambda: zipped(D__npy=npy(np.eye(60)))[:-40], "cannot be unpacked"),
    "damaged content": (partial(damaged, 400), "cannot be unpacked|no D|cannot be read"),
    "gzip": (lambda: gzip.compress(b"x" * 100), "cannot be unpacked"),
    # pickles
    "pickled npy": (lambda: zipped(D__npy=npy(np.array([[Opener()]], dtype=object), allow_pickle=True)), "not opened"),
    "pickle": (lambda: zipped(D__pkl=pickle.dumps(Opener())), "not opened"),
    "pickle called npy": (lambda: zipped(D__npy=pickle.dumps(Opener())), "not opened|cannot be read"),
    "pickled pt": (lambda: zipped(D__pt=saved(Opener())), "not opened"),
    "pickled sides": (lambda: zipped(poster__pt=saved(Opener()), intro__pt=saved(Opener())), "not opened"),
    "pickled npz": (
        lambda: zipped(D__npz=zipped(D__npy=npy(np.array([Opener()], dtype=object), allow_pickle=True))),
        "not opened|cannot be read|damaged",
    ),
    # absurd matrices
    "shape of petabytes": (lambda: zipped(D__npy=header((10**8, 10**8))), "cannot be read"),
    "negative shape": (lambda: zipped(D__npy=header((-1, -1))), "cannot be read"),
    "shape in an npz": (lambda: zipped(D__npz=zipped(D__npy=header((10**7, 10**7)))), "damaged|cannot be read"),
    "code in a header": (
        lambda: zipped(D__npy=header("__import__('os').system('touch opened')")),
        "cannot be read|not opened",
    ),
    "endless header": (
        lambda: zipped(D__safetensors=struct.pack("<Q", 2**60) + b"{}"),
        "cannot be read",
    ),
    "offsets beyond the end": (
        lambda: zipped(D__safetensors=safetensors('{"D":{"dtype":"F32","shape":[9,9],"data_offsets":[0,999999999]}}')),
        "cannot be read",
    ),
    "broken mat": (lambda: zipped(D__mat=b"MATLAB 5.0".ljust(126) + b"IM" + b"\xff" * 64), "cannot be read"),
    "words for numbers": (lambda: zipped(D__csv="=cmd|' /C calc'!A0,b\n" * N), "not a number|no D|cannot be read"),
    "one side only": (lambda: zipped(D__npy=npy(np.zeros((N, 3)))), "square|rows"),
    # matrices that are no distances
    "nothing but NaN": (lambda: zipped(D__npy=npy(np.full((N, N), np.nan, dtype=np.float32))), ""),
    # notebooks
    "endless nesting": (lambda: zipped(n__ipynb="[" * 100_000), "cannot be read as a notebook"),
    "cells of another kind": (lambda: zipped(n__ipynb=notebook(source={"a": 1}, outputs="acc 0.9")), "no D"),
}
"""What a stranger may send -> how to make it, and what its row says."""


def test_forty_hostile_archives_cost_their_own_row_only(tmp_path, sample, monkeypatch):
    assert len(HOSTILE) >= 40
    monkeypatch.chdir(tmp_path)
    for name, (make, said) in HOSTILE.items():
        packed, scratch = tmp_path / f"{name}.zip", tmp_path / "scratch" / name
        packed.write_bytes(make())
        scratch.mkdir(parents=True)
        row = judge(packed, scratch, sample, SMALL)
        told = " ".join([*row.remarks, *(one.said for one in row.findings)])
        assert not row.metrics, name
        assert any(part in told for part in said.split("|")), f"{name}: {told}"
        assert "\n" not in told and "\x1b" not in told
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith("opened")]
    assert not (tmp_path.parent / "opened").exists()


def test_the_desk_grades_the_honest_one_among_them(tmp_path, sample, finished):
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name in ("bomb", "climbing", "pickled pt", "shape of petabytes"):
        (folder / f"{name}.zip").write_bytes(HOSTILE[name][0]())
    np.save(folder / "honest.npy", distance_matrix(*finished.vectors))
    rows = {row.name: row for row in grade(folder, sample, limits=SMALL)}
    assert rows["honest"].metrics["acc_sum"] == pytest.approx(finished.metrics["acc_sum"])
    assert all(not row.metrics for name, row in rows.items() if name != "honest")

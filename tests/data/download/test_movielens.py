"""The whole download against a server that misbehaves."""

from __future__ import annotations

import csv
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.download.movielens import (
    Consent,
    DownloadReport,
    Manners,
    Sources,
    download_movielens,
)
from cinealign.data.download.queue import BackOff
from cinealign.data.download.web import Patience
from cinealign.errors import ConfigError, DataError
from tests.data.download.server import NEVER, SOMETIMES, MovieSite, archive

YES = Consent(hosts=lambda _: True, licence=lambda _: True)
QUICK = Manners(rate=1000, workers=8, back_off=BackOff(tries=3, first_s=0.01), patience=Patience(10, 30, 60))


def sources(site: MovieSite, **changes: Any) -> Sources:
    return replace(
        Sources(f"{site.base}/datasets", f"{site.base}/meta", None, (site.host,)),
        **changes,
    )


def download(site: MovieSite, folder: Path, consent: Consent = YES, **options: Any) -> DownloadReport:
    return download_movielens(folder, sources(site), consent, QUICK, **options)


def posters(folder: Path) -> dict[int, bytes]:
    return {int(path.stem): path.read_bytes() for path in (folder / "poster").iterdir()}


def missing(folder: Path) -> dict[int, dict[str, str]]:
    with (folder / "missing.csv").open(encoding="utf-8", newline="") as file:
        return {int(row["movie_id"]): row for row in csv.DictReader(file)}


def test_every_obtainable_poster_is_had_and_every_other_has_its_reason(tmp_path: Path) -> None:
    faults = dict(enumerate([*NEVER, *SOMETIMES], start=1))
    with MovieSite(len(faults) + 3, faults) as other, MovieSite(len(faults) + 3, faults) as site:
        site.elsewhere = f"{other.base}/moved/"
        report = download(site, tmp_path / "ml")
        assert posters(tmp_path / "ml") == site.truth
        assert not other.requests, "a redirect led to a host that nobody had confirmed"
    why = missing(tmp_path / "ml")
    assert set(why) == {movie_id for movie_id, fault in faults.items() if fault in NEVER}
    for movie_id, row in why.items():
        assert NEVER[faults[movie_id]] in row["reason"], (faults[movie_id], row)
        assert row["what"] == "poster" and row["title"] == site.titles[movie_id]
    assert (report.posters, report.movies, len(report.missing)) == (len(site.truth), site.movies, len(NEVER))


def test_what_comes_out_is_a_catalogue(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    with MovieSite(40) as site:
        report = download(site, folder)
    catalogue = Catalogue.load(folder)
    assert len(catalogue) == 40 and len(catalogue.train_rows) == 24
    movie = catalogue.movies[0]
    assert movie.title == "Café No. 1 (1941)" and movie.genres == ("Animation", "Comedy")
    assert movie.writers == ("W. One", "W. Two") and movie.cast == ("C. One", "C. Two")
    assert movie.intro == "The story of movie 1, told in one sentence."
    header = (folder / "info.csv").read_text("utf-8").splitlines()[0]
    assert header == "id,name,imdb_id,genre,release_time,intro,directors,writers,starts"
    assert (folder / "ratings.csv").read_text("utf-8").splitlines()[:2] == [
        "user_id,movie_id,rating,timestamp",
        "2,1,2,978300001",
    ]
    assert (folder / "movies.csv").read_text("utf-8").splitlines()[1] == "1,Café No. 1 (1941),Drama|Children's"
    assert "not the assignment's" in report.split
    assert "You may not redistribute it" in (folder / "ml-1m-README.txt").read_text("utf-8")
    assert not report.missing and missing(folder) == {}


def test_second_run_asks_for_nothing_it_has(tmp_path: Path) -> None:
    with MovieSite(20, {3: "404"}) as site:
        download(site, tmp_path / "ml")
        site.requests.clear()
        site.faults = {}
        report = download(site, tmp_path / "ml")
        assert site.requests == {"/images/3.jpg": 1}
    assert report.posters == 20 and not report.missing


def test_another_source_is_asked_and_the_first_one_not_taken_for_it(tmp_path: Path) -> None:
    with MovieSite(9) as first, MovieSite(9) as second:
        download(first, tmp_path / "ml")
        records = second.records()
        records[0][1]["Plot"] = "Another story."
        second.metadata = pickle.dumps(records)
        download(second, tmp_path / "ml")
        assert second.requests["/meta/metadata.pkl"] == 1 and "/images/1.jpg" not in second.requests
    assert Catalogue.load(tmp_path / "ml").movies[0].intro == "Another story."


def test_split_hardly_changes_when_a_poster_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    with MovieSite(60, {30: "404"}) as site:
        download(site, folder)
        before = {movie.movie_id for movie in map(Catalogue.load(folder).movies.__getitem__, _train(folder))}
        site.faults = {}
        download(site, folder)
        after = {movie.movie_id for movie in map(Catalogue.load(folder).movies.__getitem__, _train(folder))}
    assert len(before ^ after) <= 2 and len(after) == 36


def _train(folder: Path) -> list[int]:
    return [int(row) for row in Catalogue.load(folder).train_rows]


def test_nothing_leaves_before_the_hosts_are_confirmed(tmp_path: Path) -> None:
    listed: dict[str, Sequence[str]] = {}

    def no(hosts: Mapping[str, Sequence[str]]) -> bool:
        listed.update(hosts)
        return False

    with MovieSite() as site:
        with pytest.raises(ConfigError, match="pass --yes to confirm them"):
            download(site, tmp_path / "ml", Consent(hosts=no, licence=lambda _: True))
        assert not site.requests
    assert listed == {kind: [site.host] for kind in ("MovieLens", "metadata", "posters")}
    assert not (tmp_path / "ml").exists()


def test_licence_is_shown_and_must_be_accepted(tmp_path: Path) -> None:
    shown: list[str] = []

    def no(text: str) -> bool:
        shown.append(text)
        return False

    with MovieSite() as site:
        with pytest.raises(ConfigError, match="--accept-licence"):
            download(site, tmp_path / "ml", Consent(hosts=lambda _: True, licence=no))
        assert set(site.requests) == {"/datasets/ml-1m.zip"}
    assert shown == ["The data set may be used for any research purposes. You may not redistribute it."]


def test_posters_of_a_host_that_is_not_confirmed_are_left_out_unless_the_user_agrees(tmp_path: Path) -> None:
    with MovieSite(8) as other, MovieSite(8) as site:
        records = site.records()
        records[4][1]["Poster"] = f"{other.base}/images/5.jpg"
        records[5][1]["Poster"] = "file:///etc/passwd"
        records[6][1]["Poster"] = f"http://{site.host}\\@{other.host}/images/7.jpg"
        records[7][1]["Poster"] = "N/A"
        site.metadata = pickle.dumps(records)
        report = download(site, tmp_path / "no")
        assert not other.requests and set(posters(tmp_path / "no")) == {1, 2, 3, 4}
        assert f"the host {other.host} was not confirmed" in missing(tmp_path / "no")[5]["reason"]
        assert "only http and https" in missing(tmp_path / "no")[6]["reason"]
        assert missing(tmp_path / "no")[8]["reason"] == "the source has no address for it"
        assert report.posters == 4

        asked: list[Mapping[str, int]] = []
        agree = Consent(lambda _: True, lambda _: True, lambda hosts: asked.append(hosts) is None)
        download(site, tmp_path / "yes", agree)
        assert asked == [{other.host: 1}] and dict(other.requests) == {"/images/5.jpg": 1}
        assert set(posters(tmp_path / "yes")) == {1, 2, 3, 4, 5}


def test_second_address_is_tried_where_the_first_is_refused(tmp_path: Path) -> None:
    with MovieSite(14, {7: "404"}) as site:
        site.metadata = pickle.dumps(site.records())
        download(site, tmp_path / "ml")  # /other/7.jpg of movie_posters.csv is not there either
        assert missing(tmp_path / "ml")[7]["reason"] == "HTTP 404; then HTTP 404"
        assert site.requests["/other/7.jpg"] == 1 and site.requests["/images/7.jpg"] == 1


def test_movies_without_an_intro_or_a_record_are_named(tmp_path: Path) -> None:
    with MovieSite(12) as site:
        records = site.records()
        records[2][1]["Plot"] = "N/A"
        records[3] = (records[3][0], "<None>")
        site.metadata = pickle.dumps([entry for entry in records if entry[0][0] != 6])
        report = download(site, tmp_path / "ml")
    why = {movie_id: (row["what"], row["reason"]) for movie_id, row in missing(tmp_path / "ml").items()}
    assert why[3] == ("intro", "the source has none, so its poster is left out too")
    assert why[4][0] == "intro" and why[6] == ("facts", "the metadata has no record of it")
    assert report.posters == 9 and len(Catalogue.load(tmp_path / "ml")) == 9


def test_own_train_list(tmp_path: Path) -> None:
    train = tmp_path / "mine.txt"
    with MovieSite(10) as site:
        train.write_text("10\n3\n5\n")
        assert (
            "a given list (file mine.txt); 3 train, 7 held-out" in download(site, tmp_path / "ids", train=train).split
        )
        assert list(Catalogue.load(tmp_path / "ids").ids[_train(tmp_path / "ids")]) == [3, 5, 10]
        train.write_text("0\n3\n5\n")
        site.requests.clear()
        with pytest.raises(DataError, match="no such file"):
            download(site, tmp_path / "other", train=tmp_path / "no.txt")
        assert not site.requests, "a wrong --train is found before anything leaves"
        with pytest.raises(ConfigError, match="row numbers, which count the posters of the folder it was made for"):
            download(site, tmp_path / "rows", train=train)
        download(site, tmp_path / "rows", train=train, train_ids="rows")
        assert _train(tmp_path / "rows") == [0, 3, 5]


def test_train_list_that_the_user_put_there_is_kept(tmp_path: Path) -> None:
    with MovieSite(10) as site:
        download(site, tmp_path / "ml")
        (tmp_path / "ml" / "train.txt").write_text("10\n1\n")
        assert "kept" in download(site, tmp_path / "ml").split
    assert (tmp_path / "ml" / "train.txt").read_text() == "10\n1\n"


def test_a_download_that_was_ended_before_its_mark_goes_on(tmp_path: Path) -> None:
    (tmp_path / "ml" / ".download").mkdir(parents=True)
    (tmp_path / "ml" / ".download" / ".0123456789ab.part").write_text("Movie")
    (tmp_path / "ml" / ".download" / "lock").touch()
    (tmp_path / "ml" / "poster").mkdir()
    with MovieSite(10) as site:
        download(site, tmp_path / "ml")
        assert not list((tmp_path / "ml").rglob("*.part*")), "half a mark was left"
        (tmp_path / "ml" / ".download" / "mark").unlink()
        with pytest.raises(DataError, match="holds something that no download put there"):
            download(site, tmp_path / "ml")


def test_folder_that_holds_something_else_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with MovieSite() as site:
        with pytest.raises(DataError, match="holds something that no download put there"):
            download(site, tmp_path)
        assert not site.requests
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["poster", ".download", "info.csv"])
def test_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    with MovieSite() as site:
        download(site, tmp_path / "ml")
        path = tmp_path / "ml" / name
        path.rename(tmp_path / "aside")
        path.symlink_to(outside)
        with pytest.raises(DataError, match="is a link"):
            download(site, tmp_path / "ml")
    assert not list(outside.iterdir())


def test_poster_of_a_movie_that_is_a_link_does_not_write_through_it(tmp_path: Path) -> None:
    with MovieSite(faults={4: "404"}) as site:
        download(site, tmp_path / "ml")
        (tmp_path / "ml" / "poster" / "4.jpg").symlink_to(tmp_path / "not-there")
        (tmp_path / "ml" / "missing.csv").unlink()
        site.faults = {}
        site.truth[4] = site.content(4)
        download(site, tmp_path / "ml")
        assert posters(tmp_path / "ml")[4] == site.truth[4]
    assert not (tmp_path / "ml" / "poster" / "4.jpg").is_symlink()
    assert not (tmp_path / "not-there").exists()


def test_zip_with_names_that_lead_out_is_refused_and_not_kept(tmp_path: Path) -> None:
    with MovieSite() as site:
        site.archive = archive(site.titles, {"../../evil.txt": b"x"})
        with pytest.raises(DataError, match=r"'../../evil.txt', which leads out of its folder"):
            download(site, tmp_path / "ml")
        site.archive = archive(site.titles)
        assert download(site, tmp_path / "ml").posters == 12
    assert not (tmp_path / "evil.txt").exists() and not (tmp_path.parent / "evil.txt").exists()


def test_no_network_ends_in_one_line_and_not_after_hours(tmp_path: Path) -> None:
    with MovieSite(60) as site:
        records = site.records()
        for _, record in records:
            record["Poster"] = f"http://127.0.0.1:9/{record['imdbID']}.jpg"
        site.metadata = pickle.dumps(records)
        gone = sources(site, poster_hosts=("127.0.0.1:9",))
        with pytest.raises(DataError, match="no connection for 25 requests in a row"):
            download_movielens(tmp_path / "ml", gone, YES, QUICK)


COMMAND = """
import sys
from cinealign.cli.app import main
main(sys.argv[1:])
"""


def start(site: MovieSite, folder: Path, rate: float) -> subprocess.Popen[bytes]:
    options = ["--grouplens", f"{site.base}/datasets", "--metadata", f"{site.base}/meta", "--poster-host", site.host]
    options += ["--rate", str(rate), "--yes", "--accept-licence", "--tries", "3"]
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, "data", "download", str(folder), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )


def kill_once(process: subprocess.Popen[bytes], folder: Path, at_least: int) -> None:
    """Kill the download once it has so many posters; every one that is visible then must be whole."""
    deadline = time.monotonic() + 60
    while len(list((folder / "poster").glob("*"))) < at_least:
        assert process.poll() is None and time.monotonic() < deadline, "the download ended before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_two_kills_leave_no_half_poster_and_lose_none(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    faults = {7: "404", 20: "500 once", 33: "cut once", 47: "html", 61: "silent cut once", 90: "redirect file"}
    with MovieSite(120, faults) as site:
        for at_least in (25, 70):
            kill_once(start(site, folder, 100), folder, at_least)
            had = posters(folder)
            assert had.items() <= site.truth.items()
            assert at_least <= len(had) < len(site.truth)
        assert start(site, folder, 100).wait() == 1
        assert posters(folder) == site.truth
        assert set(missing(folder)) == {7, 47, 90}
        again = [path for path, count in site.requests.items() if count > 1 and path.startswith("/images/")]
        assert len(again) <= len(faults) + 3 * 8 + 3, "finished posters were asked for again"
    assert len(Catalogue.load(folder)) == 117


def test_second_download_into_one_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ml"
    with MovieSite(120) as site:
        first = start(site, folder, 20)
        deadline = time.monotonic() + 60
        while len(list((folder / "poster").glob("*"))) < 5:
            assert first.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        with pytest.raises(ConfigError, match="another download is at work"):
            download(site, folder)
        first.kill()
        first.wait()
        assert download(site, folder).posters == 120, "a killed download must not leave the folder locked"

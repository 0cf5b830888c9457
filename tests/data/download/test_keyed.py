from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from cinealign.data.catalogue import Catalogue
from cinealign.data.download.keyed import KeyedSource
from cinealign.data.download.movielens import DownloadReport, Sources, download_movielens
from cinealign.errors import ConfigError, DataError
from tests.data.download.server import MovieSite
from tests.data.download.test_movielens import QUICK, YES, missing

Service = Literal["omdb", "tmdb"]


def keyed(site: MovieSite, service: Service = "omdb", key: str | None = None) -> Sources:
    source = KeyedSource(service, f"{site.base}/{service}", site.key if key is None else key, f"{site.base}/images")
    hosts = () if service == "tmdb" else (site.host,)
    return Sources(f"{site.base}/datasets", f"{site.base}/meta", source, hosts)


def download(site: MovieSite, folder: Path, service: Service = "omdb", key: str | None = None) -> DownloadReport:
    return download_movielens(folder, keyed(site, service, key), YES, QUICK)


def everything_written(folder: Path) -> bytes:
    return b"\n".join(path.name.encode() + path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_omdb(tmp_path: Path) -> None:
    with MovieSite(20, {4: "unknown", 5: "facts 500"}) as site:
        report = download(site, tmp_path / "ml")
        assert "/meta/metadata.pkl" not in site.requests, "with a key no pickle is needed"
    assert report.posters == 18 and len(Catalogue.load(tmp_path / "ml")) == 18
    assert {movie_id: row["reason"] for movie_id, row in missing(tmp_path / "ml").items()} == {
        4: "OMDb says: Incorrect IMDb ID.",
        5: "HTTP 500",
    }


@pytest.mark.parametrize("key", ["0123456789abcdef", "eyJhbGciOi.eyJhdWQiOi.c2lnbmF0dXJl"])
def test_tmdb_with_either_kind_of_key(tmp_path: Path, key: str) -> None:
    with MovieSite(10, key=key) as site:
        assert keyed(site, "tmdb").hosts() == {
            "MovieLens": (site.host,),
            "metadata": (site.host,),
            "tmdb": (site.host,),
            "posters": (site.host,),
        }
        report = download(site, tmp_path / "ml", "tmdb")
    movie = Catalogue.load(tmp_path / "ml").movies[2]
    assert report.posters == 10 and movie.intro == "TMDB's story of movie 3."
    assert (movie.genres, movie.writers, len(movie.cast)) == (("Comedy",), ("W. One",), 4)
    assert key.encode() not in everything_written(tmp_path)


def test_key_is_never_written_or_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with MovieSite(10) as site:
        download(site, tmp_path / "ml")
        with pytest.raises(DataError, match=r"OMDb refuses the key \(Invalid API key! \*\*\*\)"):
            download(site, tmp_path / "wrong", key="wrong-key-5678")
    assert b"A plot that repeats ***" in everything_written(tmp_path)
    assert site.key.encode() not in everything_written(tmp_path)
    assert b"wrong-key" not in everything_written(tmp_path)
    said = capfd.readouterr()
    assert "key-1234" not in said.out + said.err and "wrong-key" not in said.out + said.err


def test_daily_limit_stops_and_the_next_day_goes_on(tmp_path: Path) -> None:
    with MovieSite(30, daily_limit=12) as site:
        with pytest.raises(DataError, match=r"Request limit reached!\).* the same command goes on from here"):
            download(site, tmp_path / "ml")
        before = len(list((tmp_path / "ml" / ".download").glob("omdb-*/*.json")))
        assert 0 < before <= 12
        site.daily_limit = 1000
        site.requests.clear()
        assert download(site, tmp_path / "ml").posters == 30
        assert site.requests["/omdb/"] == 30 - before


@pytest.mark.parametrize(("service", "variable"), [("omdb", "OMDB_API_KEY"), ("tmdb", "TMDB_API_KEY")])
def test_no_key(service: Service, variable: str) -> None:
    with MovieSite(3) as site, pytest.raises(ConfigError, match=f"--{service}-key or set {variable}"):
        keyed(site, service, "  ")


@pytest.mark.parametrize("key", ["a-b", "two words", "line\nX-Header: 1", "schlüssel-1"])
def test_odd_key(key: str) -> None:
    with MovieSite(3) as site, pytest.raises(ConfigError, match="too short or holds odd characters") as caught:
        keyed(site, "omdb", key)
    assert key not in str(caught.value)

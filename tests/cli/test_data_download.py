from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from cinealign.cli.app import main
from tests.data.download.server import MovieSite


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("OMDB_API_KEY", "TMDB_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def command(site: MovieSite, folder: Path, *more: str) -> int:
    options = ["--grouplens", f"{site.base}/datasets", "--metadata", f"{site.base}/meta", "--poster-host", site.host]
    with pytest.raises(SystemExit) as ended:
        main(["data", "download", str(folder), *options, "--rate", "1000", "--tries", "2", *more])
    return int(ended.value.code or 0)


def test_all_was_had(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MovieSite(10) as site:
        assert command(site, tmp_path / "ml", "--yes", "--accept-licence") == 0
    said = capsys.readouterr()
    assert "10 movies, 10 intros, 10 posters, 10 ratings" in said.out and "nothing is missing" in said.out
    assert "drawn here, not the assignment's" in said.out
    assert said.err.index(f"MovieLens: {site.host}") < said.err.index("asking for")
    assert "You may not redistribute it" in said.err


def test_something_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MovieSite(10, {2: "404", 3: "404", 4: "html"}) as site:
        assert command(site, tmp_path / "ml", "--yes", "--accept-licence") == 1
        said = capsys.readouterr().out
        assert "missing: 3 (missing.csv names each)" in said and "2 x poster: HTTP 404" in said
        assert command(site, tmp_path / "ml", "--yes", "--accept-licence", "--json") == 1
    content = json.loads(capsys.readouterr().out)
    assert content["posters"] == 7 and [entry["movie_id"] for entry in content["missing"]] == [2, 3, 4]


def test_without_a_terminal_nothing_is_confirmed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with MovieSite(3) as site:
        assert command(site, tmp_path / "ml", "--accept-licence") == 2
        assert not site.requests
        said = capsys.readouterr().err
        assert said.splitlines()[-1].startswith("ConfigError: the hosts were not confirmed") and site.host in said
        assert command(site, tmp_path / "ml", "--yes") == 2
        assert capsys.readouterr().err.splitlines()[-1].startswith("ConfigError: MovieLens' licence was not accepted")


def test_on_a_terminal_the_user_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[bool] = []
    questions: list[str] = []

    def confirm(question: str, err: bool) -> bool:
        assert err
        questions.append(question)
        return answers.pop(0)

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", confirm)
    with MovieSite(10) as other, MovieSite(10) as site:
        answers[:] = [False]
        assert command(site, tmp_path / "ml") == 2 and not site.requests
        answers[:] = [True, False]
        assert command(site, tmp_path / "ml") == 2 and len(site.requests) == 1
        site.metadata = site.metadata.replace(
            f"{site.base}/images/3.jpg".encode(), f"{other.base}/images/3.jpg".encode()
        )
        answers[:] = [True, True, True]
        assert command(site, tmp_path / "ml") == 0
        assert other.requests == {"/images/3.jpg": 1}
    assert questions[-3:] == ["go on?", "do you accept this licence?", "ask them too?"]


def test_key_from_the_environment_or_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with MovieSite(10) as site:
        more = ("--yes", "--accept-licence", "--omdb", f"{site.base}/omdb", "--tmdb", f"{site.base}/tmdb")
        assert command(site, tmp_path / "none", *more, "--source", "omdb") == 2
        assert "--omdb-key or set OMDB_API_KEY" in capsys.readouterr().err
        assert command(site, tmp_path / "option", *more, "--omdb-key", site.key) == 0
        monkeypatch.setenv("TMDB_API_KEY", site.key)
        pictures = ("--tmdb-pictures", f"{site.base}/images")
        assert command(site, tmp_path / "variable", *more, *pictures, "--source", "tmdb") == 0
        asked = dict(site.requests)
        assert command(site, tmp_path / "public", *more) == 0, "a key in the environment alone chooses no service"
        assert site.requests["/omdb/"] == asked["/omdb/"] and site.requests["/meta/metadata.pkl"] == 1
        assert command(site, tmp_path / "both", *more, "--omdb-key", "abcdef", "--tmdb-key", "abcdef") == 2
    assert "choose with --source" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rate", "0"], "--rate must be above 0"),
        (["--workers", "99"], "--workers must be between 1 and 32"),
        (["--tries", "0"], "--tries must be at least 1"),
        (["--grouplens", "file:///etc"], "only http and https"),
        (["--metadata", "https://me:pw@example.org/x"], "name and password"),
        (["--poster-host", "https://example.org/x"], "expected a host as in"),
        (["--poster-host", "me@example.org"], "expected a host as in"),
    ],
)
def test_options_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["data", "download", str(tmp_path / "ml"), "--yes", *options])
    said = capsys.readouterr().err
    assert ended.value.code == 2 and words in said and len(said.splitlines()) == 1
    assert not (tmp_path / "ml").exists()

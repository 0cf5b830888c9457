"""`cinealign serve`: it says where, answers, and is gone within a second of Ctrl-C; and the client of docs/web.md."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from cinealign.cli.app import main
from cinealign.errors import ConfigError, DataError
from cinealign.run import Run
from cinealign.run_data import RunData
from cinealign.web.server import address, bound
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf
from tests.search.folders import write_index

ROOT = Path(__file__).parent.parent.parent
STARTED = """
import sys
from pathlib import Path
from cinealign.search.index import Index
from cinealign.web.server import serve
from cinealign.web.settings import Settings
from cinealign.web.shelf import Shelf
from tests.web.conftest import ColourEncoder
import time

class SlowEncoder(ColourEncoder):
    def encode_intros(self, texts):
        if "slow" in texts:
            print("asked", flush=True)
            time.sleep(60)
        return super().encode_intros(texts)

serve(Shelf(Index.open(Path(sys.argv[1]), encoder=SlowEncoder())), Settings.listening("127.0.0.1", 0))
"""


def test_ctrl_c_ends_it_within_a_second_whatever_it_does(tmp_path: Path) -> None:
    folder = write_index(tmp_path / "index", 12)
    paths = os.pathsep.join([str(ROOT), str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    started = subprocess.Popen(
        [sys.executable, "-c", STARTED, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        assert started.stderr is not None and started.stdout is not None
        for line in started.stderr:
            if found := re.search(r"http://127\.0\.0\.1:\d+/", line):
                break
        assert found
        with urlopen(f"{found[0]}api/v1/health") as answer:
            assert answer.status == 200
        held = socket.create_connection(("127.0.0.1", int(found[0].rpartition(":")[2].strip("/"))))
        held.sendall(
            b"GET /?text=slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
        )  # the model is at work, and the browser waits
        assert started.stdout.readline() == "asked\n"
        began = time.process_time(), time.monotonic()
        started.send_signal(signal.SIGINT)
        assert started.wait(30) == 0
        assert time.monotonic() - began[1] < 10  # a second on a machine that has nothing else to do
        held.close()
        assert "Traceback" not in started.stderr.read()
    finally:
        started.kill()
        started.wait()


def test_a_taken_port_is_said_before_anything_is_loaded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1 port {port}.*choose another --port"):
            bound(Settings(port=port))
    with pytest.raises(ConfigError, match=r"cannot listen on 203\.0\.113\.7"):
        bound(Settings(host="203.0.113.7", port=0))


def test_the_address_of_a_server_for_others_holds_its_token() -> None:
    settings = Settings.listening("0.0.0.0", 0, token="t" * 20)
    with bound(settings) as listening:
        assert address(settings, listening).endswith(f":{listening.getsockname()[1]}/?token={'t' * 20}")


def test_a_folder_that_is_neither_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", str(tmp_path)])
    assert ended.value.code == 2
    assert "is not a run directory" in capsys.readouterr().err


def test_a_run_without_an_index_gets_one(
    web_runs: tuple[Run, Run, RunData], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, second, data = web_runs
    monkeypatch.setenv("CINEALIGN_CACHE", str(data.store.folder))
    found = Shelf.of(second.folder)
    assert "has no index yet; making it now, once, in" in capsys.readouterr().err
    assert len(found.index) == 240 and found.run is not None
    assert "lettered" in found.runs


def test_only_runs_of_the_same_data_are_compared(
    web_runs: tuple[Run, Run, RunData], shelf: Shelf, tmp_path: Path
) -> None:
    shutil.copytree(web_runs[1].folder, tmp_path / "stranger", ignore=shutil.ignore_patterns("index"))
    told = json.loads((tmp_path / "stranger" / "catalogue.json").read_text(encoding="utf-8"))
    (tmp_path / "stranger" / "catalogue.json").write_text(json.dumps({**told, "digest": "another"}), encoding="utf-8")
    with pytest.raises(DataError, match="made from other data"):
        Shelf.of(web_runs[0].folder, compare=[tmp_path / "stranger"])


def test_the_client_of_the_docs_runs(site: str) -> None:
    page = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code.replace("http://127.0.0.1:8421", site), "docs/web.md", "exec"), {})
    lines = out.getvalue().splitlines()
    assert len(lines) == 8 and lines[0].startswith("1 ")
    assert "poster_to_intro" in lines[5] and "drop" in lines[6]


def test_every_option_is_in_the_docs(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    page = (ROOT / "docs" / "web.md").read_text(encoding="utf-8")
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out)) - {"--help"}
    assert options and all(f"`{option}" in page for option in options)

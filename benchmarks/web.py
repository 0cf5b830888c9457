"""Load and fuzz of `cinealign serve`: many clients with mixed texts, and requests that nobody would mean.

.venv/bin/python benchmarks/web.py load --run runs/default --clients 50 --seconds 60
.venv/bin/python benchmarks/web.py fuzz --run runs/default --requests 20000

It starts the server itself, unless --address names one. `load` draws texts from words of the catalogue's intros, one
in three of them asked before, and prints latency, errors and the server's memory at the start and the end. `fuzz` sends what
schemathesis makes of the OpenAPI document where it is installed (pip install schemathesis), and odd bytes, and counts 5xx.
"""

import argparse
import http.client
import json
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import numpy as np


def words_of(address: str) -> list[str]:
    """Words of intros, as people who search would use them."""
    found: set[str] = set()
    for text in ("love", "war", "murder", "space", "family", "comedy"):
        told = json.loads(
            request(address, "GET", f"/api/v1/search?{urlencode({'text': text, 'side': 'both', 'limit': 100})}")[1]
        )
        found |= {word.strip(".,;:()\"'").lower() for hit in told["hits"] for word in (hit["intro"] or "").split()}
    return sorted(word for word in found if len(word) > 3)


def request(
    address: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, bytes]:
    place = urlsplit(address)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


class Client(threading.Thread):
    """Asks, reads, thinks for a while, and asks again."""

    def __init__(self, address: str, words: list[str], until: float, think: float, seed: int) -> None:
        super().__init__(daemon=True)
        self.place, self.words, self.until, self.think = urlsplit(address), words, until, think
        self.dice, self.asked = random.Random(seed), []
        self.seconds: list[float] = []
        self.statuses: list[int] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection(self.place.hostname or "", self.place.port, timeout=60)
        time.sleep(self.dice.random() * self.think)
        while time.monotonic() < self.until:
            if self.asked and self.dice.random() < 1 / 3:
                text = self.dice.choice(self.asked)
            else:
                text = " ".join(self.dice.choices(self.words, k=self.dice.randint(2, 12)))
                self.asked.append(text)
            began = time.monotonic()
            try:
                connection.request("GET", f"/api/v1/search?{urlencode({'text': text})}")
                answer = connection.getresponse()
                answer.read()
                self.statuses.append(answer.status)
            except OSError:
                self.statuses.append(0)
                connection.close()
            self.seconds.append(time.monotonic() - began)
            time.sleep(self.think * self.dice.uniform(0.5, 1.5))


def load(options: argparse.Namespace) -> int:
    words = words_of(options.address)
    until = time.monotonic() + options.seconds
    before = memory(options.pid)
    clients = [Client(options.address, words, until, options.think, seed) for seed in range(options.clients)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    seconds = np.array([each for client in clients for each in client.seconds])
    statuses = [each for client in clients for each in client.statuses]
    wrong = {status: statuses.count(status) for status in sorted(set(statuses)) if status != 200}
    p50, p95, p99 = (1000 * float(np.quantile(seconds, part)) for part in (0.5, 0.95, 0.99))
    print(
        f"{options.clients} clients, {options.seconds} s, {options.think:g} s between two questions of one client: "
        f"{len(seconds):,} answers, {len(seconds) / options.seconds:.0f}/s; p50 {p50:.0f} ms, p95 {p95:.0f} ms, "
        f"p99 {p99:.0f} ms, longest {1000 * seconds.max():.0f} ms; not 200: {wrong or 'none'}"
    )
    if before is not None:
        print(f"memory of the server: {before} MB before, {memory(options.pid)} MB after")
    return 1 if wrong else 0


def memory(pid: int | None) -> int | None:
    """Resident megabytes."""
    if pid is None:
        return None
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmRSS"))


PATHS = ("/", "/item", "/pair", "/map", "/run", "/compare", "/about", "/poster", "/static/style.css", "/run/audit")
PATHS += tuple(f"/api/v1/{name}" for name in ("search", "search/picture", "item", "pair", "encode", "encode/picture"))
PATHS += tuple(f"/api/v1/{name}" for name in ("map", "run", "compare", "poster", "health"))
NAMES = (
    "text",
    "like",
    "plus",
    "minus",
    "more",
    "less",
    "side",
    "genre",
    "year_from",
    "year_to",
    "title",
    "split",
    "where",
    "limit",
)
NAMES += (
    "offset",
    "id",
    "poster",
    "intro",
    "cover",
    "size",
    "first",
    "second",
    "colour",
    "value",
    "lang",
    "theme",
    "token",
    "key",
    "why",
)
VALUES = (
    "",
    "1",
    "-1",
    "0",
    "9" * 40,
    "1e9",
    "NaN",
    "null",
    "true",
    "\0",
    "\ud7ff",
    "'",
    '"',
    "%",
    "../../etc/passwd",
    "a=b",
    "war",
    "both",
)
VALUES += (
    "{{7*7}}",
    "<script>",
    "image:/etc/passwd",
    "id:1",
    "1:poster",
    "7:intro",
    "\u202e",
    "😀" * 50,
    "a" * 5000,
    "genre=War",
    "year=1",
)


def odd(dice: random.Random) -> tuple[str, str, bytes | None, dict[str, str]]:
    """A request of odd parts."""
    method = dice.choice(("GET", "GET", "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"))
    pairs = [(dice.choice(NAMES), dice.choice(VALUES)) for _ in range(dice.randrange(5))]
    query = (
        urlencode(pairs, errors="surrogatepass")
        if dice.random() < 0.9
        else "".join(chr(dice.randrange(33, 127)) for _ in range(30))
    )
    path = dice.choice(PATHS) if dice.random() < 0.9 else "/" + "".join(dice.choice("./%\\abc0:~") for _ in range(12))
    body, headers = None, {}
    if method in ("POST", "PUT", "PATCH"):
        kinds = (
            "application/json",
            "multipart/form-data; boundary=x",
            "multipart/form-data",
            "image/jpeg",
            "text/plain",
            "\x7f",
        )
        headers["Content-Type"] = dice.choice(kinds)
        texts = [
            b"{}",
            b"[]",
            b"null",
            b'{"text": "\\ud800"}',
            b'{"texts": [""]}',
            b'{"text": 1e999}',
            b"--x\r\n\r\n\r\n--x--",
            b"\xff\xd8\xff\xe0",
            b"",
        ]
        body = dice.choice([*texts, dice.randbytes(dice.randrange(3000)), b'{"text": "war", "limit": 3}'])
    if dice.random() < 0.1:
        headers[dice.choice(("Origin", "Cookie", "Authorization", "Accept-Language", "If-None-Match", "Range"))] = (
            dice.choice(("null", "cinealign_lang=\xff", "Bearer x", "zh", '"x"', "bytes=0-1", ";;;=", "a" * 3000))
        )
    return method, f"{path}?{query}" if query else path, body, headers


def fuzz(options: argparse.Namespace) -> int:
    counts: dict[int, int] = {}
    faults: list[str] = []
    lock, numbers = threading.Lock(), iter(range(options.requests))

    def work() -> None:
        while True:
            with lock:
                if (number := next(numbers, None)) is None:
                    return
            method, path, body, headers = odd(random.Random(number))
            try:
                status, said = request(options.address, method, path, body, headers)
            except (
                OSError,
                http.client.HTTPException,
                ValueError,
                UnicodeError,
            ):  # refused by the client's library, or cut
                status, said = 0, b""
            with lock:
                counts[status] = counts.get(status, 0) + 1
                if status >= 500 or b"Traceback" in said:
                    faults.append(f"{number}: {method} {path[:200]} {headers} {body!r:.200} -> {status}")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{options.requests:,} odd requests: {dict(sorted(counts.items()))} (0: not sent, or cut)")
    print("\n".join(faults[:20]) or "no 5xx and no traceback")
    return (1 if faults else 0) or schema_fuzz(options.address, options.examples)


def schema_fuzz(address: str, examples: int) -> int:
    """What schemathesis finds with the OpenAPI document."""
    program = shutil.which("schemathesis") or shutil.which("st")
    beside = Path(sys.executable).with_name("schemathesis")
    program = str(beside) if beside.is_file() else program
    if program is None:
        print("schemathesis is not installed; its part was left out")
        return 0
    checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
    command = [program, "run", f"{address}/api/v1/openapi.json", "--checks", checks, "--max-examples", str(examples)]
    return subprocess.run(command, check=False).returncode


@contextmanager
def served(options: argparse.Namespace) -> Iterator[None]:
    """A server of the run, unless an address is given."""
    if options.address is not None:
        yield
        return
    program = Path(sys.executable).with_name("cinealign")
    with subprocess.Popen([program, "serve", options.run, "--port", "0"], stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        said: list[str] = []
        for line in server.stderr:
            said.append(line)
            if found := re.search(r"http://\S+", line):
                break
        else:
            sys.exit("".join(said))
        options.address, options.pid = found[0].rstrip("/"), server.pid
        threading.Thread(target=server.stderr.read, daemon=True).start()
        yield
        server.send_signal(signal.SIGINT)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("load", "fuzz"), nargs="?", default="load")
    parser.add_argument("--run", default="runs/default", help="run or index to serve")
    parser.add_argument("--address", help="of a server that runs already")
    parser.add_argument("--pid", type=int, help="of that server, to see its memory")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument(
        "--think", type=float, default=1.0, help="seconds between two questions of one client, on average"
    )
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--examples", type=int, default=300, help="a path, of schemathesis")
    given = parser.parse_args()
    with served(given):
        code = load(given) if given.what == "load" else fuzz(given)
    sys.exit(code)

"""Stands in for the hub, which tests cannot reach: its HTTP interface over folders, OWNER/NAME, for the real client."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

COMMIT = "c" * 40


class HubServer(ThreadingHTTPServer):
    """`asked`: (method, path, range) of every request. `cut`: break down for good in a file that is longer than so many bytes."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.asked: list[tuple[str, str, str | None]] = []
        self.cut: int | None = None
        self.broken = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fetched(self) -> set[str]:
        """The files that were sent."""
        return {
            path.split("/resolve/")[1].split("/", 1)[1]
            for method, path, _ in self.asked
            if method == "GET" and "/resolve/" in path
        }


@contextmanager
def serving(root: Path) -> Iterator[HubServer]:
    """A hub with the repositories in `root`."""
    with HubServer(root) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    server: HubServer
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append((self.command, path, self.headers.get("Range")))
        file = re.fullmatch(r"/([^/]+/[^/]+)/resolve/[^/]+/(.+)", path)
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(/tree/.*|/revision/.*)?", path)
        repo = self.server.root / (file or api or [None, "none"])[1]
        if self.server.broken:
            self._send(500, b"{}", {}, body=body)
        elif not repo.is_dir() or (file and not (repo / file[2]).is_file()):
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound" if repo.is_dir() else "RepoNotFound"}, body=body)
        elif file:
            self._send_file(repo / file[2], body=body)
        else:
            files = [(str(it.relative_to(repo)), it.read_bytes()) for it in sorted(repo.rglob("*")) if it.is_file()]
            entries = [_entry(name, data) for name, data in files]
            facts = {"id": api[1], "sha": COMMIT, "siblings": [{"rfilename": it["path"], **it} for it in entries]}
            told = entries if api[2] and "tree" in api[2] else facts
            self._send(200, json.dumps(told).encode(), {}, body=body)

    def _send_file(self, file: Path, *, body: bool) -> None:
        data = file.read_bytes()
        total, first = len(data), 0
        headers = {"ETag": f'"{hashlib.sha256(data).hexdigest()}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        if wanted := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or ""):
            first = int(wanted[1])
            headers["Content-Range"] = f"bytes {first}-{total - 1}/{total}"
        self._send(206 if wanted else 200, data[first:], headers, body=body)

    def _send(self, status: int, data: bytes, headers: dict[str, str], *, body: bool) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        cut, is_file = self.server.cut, "/resolve/" in self.path
        if body and is_file and cut is not None and len(data) > cut:
            self.wfile.write(data[:cut])
            self.close_connection = self.server.broken = True
        elif body:
            self.wfile.write(data)


def _entry(name: str, data: bytes) -> dict[str, object]:
    told = {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
    return {**told, "blobId": told["oid"]}

"""Who may talk to the application: everything else is refused, and says what was expected."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from fastapi import Request
from starlette.types import Message, Scope

from app.client import client_of
from isthmus.app.guard import HEADER, received
from isthmus.app.server import create_app
from isthmus.app.settings import AppSettings


@pytest.fixture
def settings(tmp_path: Path) -> AppSettings:
    return AppSettings(study=tmp_path, port=8123)


@pytest.mark.parametrize("token", ["", "x", "ä"])
def test_a_wrong_token_is_refused(settings: AppSettings, token: str) -> None:
    """Without the token of this start nothing of the study is answered."""
    answer = client_of(settings, **{HEADER: token.encode()}).get("/api/about")
    assert (answer.status_code, set(answer.json()["error"])) == (401, {"what", "expected", "do"})


def test_the_right_token_is_let_in(settings: AppSettings) -> None:
    """The page's own request is answered."""
    assert client_of(settings).get("/api/about").json()["study"] == str(settings.study)


def test_pages_want_the_cookie(settings: AppSettings) -> None:
    """Even the home page is shut to whoever did not come through the address that was printed."""
    assert client_of(settings).get("/").status_code == 401


def test_the_entrance_opens_the_pages(settings: AppSettings) -> None:
    """The printed address sets the cookie and hands the token to the page's script alone."""
    client = client_of(settings, **{HEADER: ""})
    entrance = client.get(f"/?token={settings.token}")
    assert (entrance.status_code, entrance.headers["location"]) == (303, f"/#token={settings.token}")
    assert client.get("/").status_code == 200


def test_the_cookie_does_not_open_the_study(settings: AppSettings) -> None:
    """Any server on this machine is sent our cookie (cookies know no ports): it opens no data."""
    client = client_of(settings, **{HEADER: ""})
    client.get(f"/?token={settings.token}")
    assert client.get("/api/about").status_code == 401


def test_the_cookie_is_not_the_token(settings: AppSettings) -> None:
    """What the cookie holds does not show the token."""
    answer = client_of(settings).get(f"/?token={settings.token}")
    assert settings.token not in answer.headers["set-cookie"]


@pytest.mark.parametrize("host", ["evil.example:8123", "127.0.0.1:9", "127.0.0.1", "127.0.0.1:8123.evil.example"])
def test_another_host_is_refused(settings: AppSettings, host: str) -> None:
    """A foreign name that leads to this machine (DNS rebinding) gets nothing, token or not."""
    assert client_of(settings, host=host).get("/api/about").status_code == 421


@pytest.mark.parametrize(
    "header",
    [
        {"origin": "http://evil.example"},
        {"origin": "http://127.0.0.1:9"},
        {"origin": "null"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_another_page_is_refused(settings: AppSettings, header: dict[str, str]) -> None:
    """A page of another origin, or of another port, cannot make the browser ask for anything."""
    assert client_of(settings, **header).get("/api/about").status_code == 403


@pytest.mark.parametrize(
    "kind", ["text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""]
)
def test_other_content_types_are_refused(settings: AppSettings, kind: str) -> None:
    """What a foreign form could post is no body for us."""
    assert client_of(settings, **{"content-type": kind}).post("/api/about", content=b"{}").status_code == 415


@pytest.mark.parametrize(
    "path",
    ["..%2f..%2fserver.py", "%2e%2e/server.py", "shared/..%2f..%2fserver.py", "%2fetc%2fpasswd", "a%00b", "~root/.ssh"],
)
def test_paths_do_not_leave_the_pages(settings: AppSettings, path: str) -> None:
    """No spelling of a path leads out of the pages."""
    client = client_of(settings)
    client.get(f"/?token={settings.token}")
    assert client.get(f"/{path}").status_code in (403, 404)


def test_an_answer_names_no_other_host(settings: AppSettings) -> None:
    """The pages' policy lets the browser talk to this application only."""
    policy = client_of(settings).get("/api/about").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy


def test_a_huge_upload_is_refused_unread(settings: AppSettings) -> None:
    """Two gigabytes are announced and not one byte of them is read."""
    sent = _Upload(announced=2 * 1024**3)
    assert anyio.run(sent.to, settings) == 413
    assert sent.read == 0


def test_an_unannounced_upload_is_cut_off(settings: AppSettings) -> None:
    """Without a length the bytes are counted as they come: little more than the limit is read."""
    small = AppSettings(study=settings.study, port=8123, largest_upload=1_000_000)
    sent = _Upload(announced=None)
    assert anyio.run(sent.to, small) == 413
    assert sent.read <= 1_100_000


class _Upload:
    """An endless upload, straight to the application."""

    def __init__(self, announced: int | None) -> None:
        self.announced = announced
        self.read = 0
        self.status = 0

    async def to(self, settings: AppSettings) -> int:
        app = create_app(settings)

        @app.post("/api/upload")
        async def upload(request: Request) -> int:
            return len(await received(request, 10**12))

        app.router.routes.insert(0, app.router.routes.pop())  # before the page that answers everything else
        headers = {
            "host": f"127.0.0.1:{settings.port}",
            HEADER: settings.token,
            "content-type": "application/octet-stream",
        }
        if self.announced is not None:
            headers["content-length"] = str(self.announced)
        scope: Scope = {
            "type": "http", "method": "POST", "path": "/api/upload", "raw_path": b"/api/upload", "query_string": b"",
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
            "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", settings.port), "client": ("127.0.0.1", 1),
            "root_path": "",
        }  # fmt: skip
        await app(scope, self._receive, self._send)
        return self.status

    async def _receive(self) -> Message:
        self.read += 65536
        return {"type": "http.request", "body": bytes(65536), "more_body": True}

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]


def test_a_ticket_opens_its_address_once(settings: AppSettings) -> None:
    """A ticket stands for the token at one address, one time."""
    client = client_of(settings, **{HEADER: ""})
    address = settings.tickets.issue("/api/about")
    assert [client.get(address).status_code for _ in range(2)] == [200, 401]


def test_a_ticket_opens_no_other_address(settings: AppSettings) -> None:
    """A ticket for one address is none for another."""
    address = settings.tickets.issue("/api/else")
    assert client_of(settings, **{HEADER: ""}).get(address.replace("else", "about")).status_code == 401


def test_an_unexpected_error_is_told_in_the_same_form(settings: AppSettings) -> None:
    """A fault of ours is JSON, too, and says that it is one."""
    app = create_app(settings)

    @app.get("/api/fault")
    def fault() -> None:
        raise ZeroDivisionError("oh")

    app.router.routes.insert(0, app.router.routes.pop())
    assert client_of(settings, app).get("/api/fault").json()["error"]["what"] == "unexpected ZeroDivisionError: oh"

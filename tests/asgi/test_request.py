from __future__ import annotations

import gc
from types import SimpleNamespace
from typing import Any  # ASGI's own shapes

from unlost.asgi._request import LONGEST, Request


def scope(**more: Any) -> dict[str, Any]:
    return {"type": "http", "method": "GET", "path": "/items/7", "query_string": b"token=secret", **more}


def test_it_is_named_by_the_route_that_was_found_meanwhile() -> None:
    request = Request(found := scope())
    found["route"] = SimpleNamespace(path_format="/items/{id}")

    assert str(request) == "GET /items/{id}"


def test_where_there_is_no_route_it_is_named_by_its_path() -> None:
    assert str(Request(scope())) == "GET /items/7"


def test_what_an_application_is_mounted_under_belongs_to_it() -> None:
    request = Request(scope(root_path="/api", route=SimpleNamespace(path="/items/{id}")))

    assert str(request) == "GET /api/items/{id}"


def test_it_keeps_its_name_and_not_the_scope_when_the_request_has_ended() -> None:
    request = Request(found := scope(route=SimpleNamespace(path="/items/{id}")))
    request.end()
    found.clear()

    assert str(request) == "GET /items/{id}"
    assert found not in gc.get_referents(request)


def test_a_web_socket_has_no_method() -> None:
    assert str(Request({"type": "websocket", "path": "/live"})) == "websocket /live"


def test_a_path_of_any_length_makes_a_short_name() -> None:
    assert len(str(Request(scope(path="/" + "x" * 10_000)))) == LONGEST

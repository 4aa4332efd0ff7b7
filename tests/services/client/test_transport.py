"""Requests over real HTTP that are lost, refused, put off: what is repeated, and what the caller is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback_endpoint import Answer, LoopbackEndpoint, Request
from pydantic import BaseModel

from services.client.transport import LONGEST_WAIT, TRIES, ServerRefused, Transport

PROBLEM = {"type": "https://x/problems/input", "title": "T", "status": 422, "detail": "seed is -1", "instance": "req-1"}


class Done(BaseModel):
    number: int


class Server:
    """Answers with each of some answers in turn, the last one for ever; notes what it was waited for."""

    def __init__(self, *answers: Answer) -> None:
        self.waits: list[float] = []
        self._answers = list(answers)
        self.endpoint = LoopbackEndpoint(self._answer)

    def _answer(self, _: Request) -> Answer:
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]

    @property
    def transport(self) -> Transport:
        return Transport(self.endpoint.url.removesuffix("/v1"), "tsk_key", sleep=self.waits.append)


Serve = Callable[..., Server]
OK = Answer({"number": 7})
AWAY = Answer({**PROBLEM, "detail": "the database does not answer"}, 503, {"retry-after": "5"})


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened: list[Server] = []

    def start(*answers: Answer) -> Server:
        server = Server(*answers)
        server.endpoint.__enter__()
        opened.append(server)
        return server

    yield start
    for server in opened:
        server.endpoint.__exit__(None, None, None)


def test_an_answer_is_read_as_its_type(serve: Serve) -> None:
    server = serve(OK)
    with_key = server.transport
    assert with_key.post("/v1/x", Done).number == 7
    with_key.close()
    [request] = server.endpoint.requests
    assert request.headers["authorization"] == "Bearer tsk_key"
    assert len(request.headers["idempotency-key"]) == 32


def test_a_repeated_request_carries_the_same_idempotency_key(serve: Serve) -> None:
    server = serve(AWAY, Answer(b"", 200, sent=0), OK)
    transport = server.transport
    assert transport.post("/v1/x", Done).number == 7
    transport.close()
    assert len({r.headers["idempotency-key"] for r in server.endpoint.requests}) == 1
    assert len(server.endpoint.requests) == 3


def test_two_requests_carry_different_keys(serve: Serve) -> None:
    server = serve(OK)
    transport = server.transport
    for _ in "ab":
        transport.post("/v1/x", Done)
    transport.close()
    assert len({r.headers["idempotency-key"] for r in server.endpoint.requests}) == 2


def test_waits_grow_and_are_at_least_what_the_server_asks_for(serve: Serve) -> None:
    server = serve(AWAY)
    transport = server.transport
    with pytest.raises(ServerRefused, match="the database does not answer") as refused:
        transport.get("/v1/x", Done)
    transport.close()
    assert refused.value.status == 503
    assert len(server.endpoint.requests) == TRIES
    assert all(5 <= wait <= LONGEST_WAIT for wait in server.waits)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500])
def test_what_another_try_does_not_mend_is_not_tried_again(serve: Serve, status: int) -> None:
    server = serve(Answer(PROBLEM, status))
    transport = server.transport
    with pytest.raises(ServerRefused, match="seed is -1") as refused:
        transport.post("/v1/x", Done)
    transport.close()
    assert (refused.value.status, refused.value.kind, refused.value.request) == (status, "input", "req-1")
    assert len(server.endpoint.requests) == 1


def test_a_request_that_is_still_under_way_is_waited_for(serve: Serve) -> None:
    server = serve(Answer(PROBLEM, 409, {"retry-after": "2"}), OK)
    transport = server.transport
    assert transport.post("/v1/x", Done).number == 7
    transport.close()
    assert server.waits
    assert server.waits[0] >= 2


def test_however_often_it_is_under_way_that_counts_as_no_failure(serve: Serve) -> None:
    under_way = [Answer(PROBLEM, 409, {"retry-after": "1"})] * (3 * TRIES)
    server = serve(*under_way, OK)
    transport = server.transport
    assert transport.post("/v1/x", Done).number == 7
    transport.close()
    assert len(server.endpoint.requests) == 3 * TRIES + 1


def test_a_request_that_never_ends_is_given_up_in_the_end(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.client.transport.UNDER_WAY_SECONDS", 0.0)
    transport = serve(Answer(PROBLEM, 409, {"retry-after": "1"})).transport
    with pytest.raises(ServerRefused):
        transport.post("/v1/x", Done)
    transport.close()


def test_an_error_that_is_no_problem_document_is_told_with_its_status(serve: Serve) -> None:
    server = serve(Answer(b"<html>Bad gateway</html>", 500))
    transport = server.transport
    with pytest.raises(ServerRefused, match="the server answered 500 and no problem document"):
        transport.get("/v1/x", Done)
    transport.close()


def test_a_server_that_is_away_is_told_with_the_remedy() -> None:
    transport = Transport("http://127.0.0.1:9", sleep=lambda _: None)
    with pytest.raises(ServerRefused, match=r"does not answer .* check TOUCHSTONE_URL"):
        transport.get("/v1/x", Done)
    transport.close()


def test_a_file_is_sent_whole_each_time(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text('{"a": 1}')
    server = serve(AWAY, OK)
    transport = server.transport
    assert transport.upload("/v1/x/upload", Done, file, filename="pairs.jsonl", empty="", none=None).number == 7
    transport.close()
    assert [r.body for r in server.endpoint.requests] == [{"a": 1}, {"a": 1}]
    assert {r.path for r in server.endpoint.requests} == {"/v1/x/upload?filename=pairs.jsonl"}

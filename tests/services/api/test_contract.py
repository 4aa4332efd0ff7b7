"""The OpenAPI document is kept to: requests made from it, good and bad, never fail the server or surprise a client."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    unsupported_method,
]  # fmt: skip
EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "12"))
"""Requests for each operation; `CONTRACT_EXAMPLES=200` searches the document for longer."""
PATIENCE = 120
"""Seconds for an answer: the first search of the knowledge base embeds all of it."""


def operations(api: Any) -> list[Any]:
    document = api.get("/v1/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.base_url = api.url
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_no_request_fails_the_server_or_gets_what_the_document_does_not_name(api: Any) -> None:
    run = api.finished(api.dataset())
    version = api.get(f"/v1/runs/{run}").json()["version"]
    known = {"run": run, "dataset": "letters", "name": "line", "version": version}
    tried = 0
    for operation in operations(api):
        if operation.path.endswith("/events"):
            continue

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def test(case: Any) -> None:
            nonlocal tried
            tried += 1
            if tried % 2:
                case.path_parameters.update({n: v for n, v in known.items() if n in (case.path_parameters or {})})
            case.call_and_validate(checks=CHECKS, timeout=PATIENCE)

        _each(operation, test)
    assert tried > 300


def _each(operation: Any, test: Any) -> None:
    from hypothesis import given

    given(case=operation.as_strategy())(test)()


def test_the_document_is_of_openapi_3_1_and_tells_examples_errors_and_security(api: Any) -> None:
    document = api.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            if path.startswith("/v1/"):
                assert {"401", "403", "422", "429", "503"} <= set(operation["responses"]), (method, path)
                assert operation["security"], (method, path)
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in str(document)
    examples = str(document).count("'examples'")
    assert examples > 20

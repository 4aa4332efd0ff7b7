"""Run a scripted endpoint and point any OpenAI client at it.

    python -m benchmarks.scripted --port 8100 --latency 0.2 --latency-p99 0.8 --fault rate_limit=0.05 --fault prose=0.1
    OPENAI_BASE_URL=http://127.0.0.1:8100/v1 OPENAI_API_KEY=none some-client --model scripted

It prints its address and serves until it is interrupted. Without an answer function of yours it prefers longer texts.
"""

from __future__ import annotations

import argparse
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from benchmarks.scripted.faults import FAULTS
from benchmarks.scripted.server import ScriptedApp
from benchmarks.scripted.serving import LoopbackServer, listening
from benchmarks.scripted.setup import LETTERS, Setup
from knowledge_base.errors import InputError, TouchstoneError
from services.tethered import tether

SCRIPT = ("seed", "latency", "latency_p99", "prefill", "cap", "end_after", "retry_after", "hang")
SERVICE = ("key", "window", "quota", "cache_tokens", "usage", "style")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.scripted", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen at (default: %(default)s)")
    made.add_argument("--port", type=int, default=0, help="port; 0 takes a free one (default)")
    made.add_argument("--config", default="", help="JSON file with all that follows; - reads standard input")
    made.add_argument("--answer", help=f"answer function, module:function (default: {LETTERS})")
    made.add_argument("--arguments", type=orjson.loads, help="JSON object; the function then makes an answer function")
    made.add_argument("--log", help="file for a log of requests, JSON lines")
    _add_service(made.add_argument_group("what it offers"))
    _add_script(made.add_argument_group("how it behaves"))
    made.add_argument("--parent", type=int, default=0, help=argparse.SUPPRESS)
    return made


def _add_service(group: Any) -> None:
    group.add_argument("--model", action="append", help="a model's name (default: scripted); may be repeated")
    group.add_argument("--key", help="bearer key that clients must send")
    group.add_argument("--window", type=int, help="context window in tokens")
    group.add_argument("--quota", type=int, help="replies until the quota is used up")
    group.add_argument("--cache-tokens", type=int, help="capacity of the prefix cache; 0 for none")
    group.add_argument("--usage", choices=("full", "plain", "none"), help="usage in replies; plain: no cached tokens")
    group.add_argument("--style", choices=("openai", "vllm"), help="whose errors it imitates")
    group.add_argument("--no-schemas", action="store_true", help="answer 400 to a response_format")


def _add_script(group: Any) -> None:
    group.add_argument("--seed", type=int, help="another seed, other fates")
    group.add_argument("--latency", type=float, help="seconds until a reply, the median if there is a p99")
    group.add_argument("--latency-p99", type=float, help="seconds within which 99 %% of the replies come")
    group.add_argument("--prefill", type=float, help="share of the latency until the prompt's blocks are cached")
    group.add_argument("--cap", type=int, help="requests served at once")
    group.add_argument("--fault", action="append", default=[], metavar="NAME=RATE", help=", ".join(FAULTS))
    group.add_argument("--end-after", type=int, help="attempts at a request after which it has no more faults")
    group.add_argument("--retry-after", type=float, help="seconds that a 429 asks to wait")
    group.add_argument("--hang", type=float, help="seconds after which a timeout closes the connection")


def setup_of(given: argparse.Namespace) -> Setup:
    """The setup that arguments describe, on top of the file they name.

    Raises:
        InputError: something in it cannot be used.
    """
    setup = Setup.from_json(_config(given.config)) if given.config else Setup()
    service, script = _told(given, SERVICE), _told(given, SCRIPT)
    if given.model:
        service["models"] = tuple(given.model)
    if given.no_schemas:
        service["schemas"] = False
    if given.fault:
        script["rates"] = {**setup.script.rates, **dict(map(_rate, given.fault))}
    return replace(
        setup,
        service=replace(setup.service, **service),
        script=replace(setup.script, **script),
        **_told(given, ("answer", "arguments", "log")),
    )


def _told(given: argparse.Namespace, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(given, name)) is not None}


def _config(name: str) -> bytes:
    return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate)
    except ValueError:
        raise InputError(f"--fault is {text!r}; give it as NAME=RATE, such as rate_limit=0.05") from None


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted; returns the exit status."""
    given = parser().parse_args(arguments)
    if given.parent:
        tether(given.parent)
    try:
        engine = setup_of(given).engine()
        bound = listening(given.port, given.host)
    except (TouchstoneError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    ready = threading.Event()
    server = LoopbackServer(ScriptedApp(engine), ready)
    bound.listen(2048)
    host = f"[{given.host}]" if ":" in given.host else given.host
    print(f"http://{host}:{bound.getsockname()[1]}/v1", flush=True)
    server.run(sockets=[bound])
    bound.close()
    engine.log.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

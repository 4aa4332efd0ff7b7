"""What there is to be told of: every event with the model of its data and an example.

Messages are thin: ids, names, and a few facts. Texts of pairs are in none of them; whoever needs more asks the
API, with a key, on the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from services.inert import shown

LONGEST = 500

Id = Annotated[str, Field(min_length=1, max_length=200)]
Name = Annotated[str, Field(max_length=200)]


def _cut(value: Any) -> Any:
    return value if not isinstance(value, str) or len(value) <= LONGEST else value[: LONGEST - 1] + "…"


Words = Annotated[str, BeforeValidator(_cut), AfterValidator(shown)]
"""What people or faults say; at most 500 characters of it."""


class EventData(BaseModel):
    """The data of an event."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunFinished(EventData):
    """A run has ended and its criteria set is kept.

    Attributes:
        run: its id; name: of the criteria set; version: of it.
    """

    run: Id
    name: Name = ""
    version: Name = ""


class RunFailed(EventData):
    """A run was given up.

    Attributes:
        run: its id; name: of the criteria set it would have made; fault: what it ended of.
    """

    run: Id
    name: Name = ""
    fault: Words = ""


class LabellingEnded(EventData):
    """A labelling has ended.

    Attributes:
        labelling: its id; pairs: how many it holds; fault: what it ended of, empty if all are labelled.
    """

    labelling: Id
    pairs: Annotated[int, Field(ge=0)] = 0
    fault: Words = ""


class DriftFound(EventData):
    """A refresh found that something moved.

    Attributes:
        schedule: id of the schedule; report: of the drift report; name, version: of the criteria set.
        causes: what moved: `judge`, `annotators`, `corpus` or `criteria`.
    """

    schedule: Id
    report: Name = ""
    name: Name = ""
    version: Name = ""
    causes: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


class SetProposed(EventData):
    """A criteria set waits for a person to decide on it.

    Attributes:
        name, version: of the set; parent: version that it would replace; run: that mined it; schedule: that had it
            mined.
    """

    name: Id
    version: Id
    parent: Name = ""
    run: Name = ""
    schedule: Name = ""


class SetDecided(EventData):
    """Somebody decided on a criteria set.

    Attributes:
        name, version: of the set; decision: `approve` or `reject`; note: the reason given; who: decided.
    """

    name: Id
    version: Id
    decision: Literal["approve", "reject"]
    note: Words = ""
    who: Name = ""


class Trial(EventData):
    """A message that only shows that messages arrive.

    Attributes:
        webhook: it was sent to.
    """

    webhook: Id


TRIAL = "webhook.test"
"""Not to be subscribed to: it goes to the webhook that is tried."""

EVENTS: Mapping[str, type[EventData]] = MappingProxyType({
    "run.finished": RunFinished,
    "run.failed": RunFailed,
    "labelling.finished": LabellingEnded,
    "labelling.failed": LabellingEnded,
    "drift.found": DriftFound,
    "set.proposed": SetProposed,
    "set.decided": SetDecided,
})  # fmt: skip
"""Event -> model of its data; these can be subscribed to."""

_VERSION, _PARENT = "5a2e9c41d07b3f68", "0c77e1b2a9d45f13"
_EXAMPLES: dict[str, EventData] = {
    "run.finished": RunFinished(run="6f1c2ab09d3e4f57", name="answers", version=_VERSION),
    "run.failed": RunFailed(run="6f1c2ab09d3e4f57", name="answers", fault="its worker died 3 times"),
    "labelling.finished": LabellingEnded(labelling="91be04c7d2f3a685", pairs=25000),
    "labelling.failed": LabellingEnded(labelling="91be04c7d2f3a685", pairs=25000, fault="openai:my-model: 401"),
    "drift.found": DriftFound(schedule="nightly", name="answers", version=_PARENT, causes=("judge",)),
    "set.proposed": SetProposed(name="answers", version=_VERSION, parent=_PARENT, schedule="nightly"),
    "set.decided": SetDecided(name="answers", version=_VERSION, decision="approve", note="fits", who="lead"),
}  # fmt: skip


def examples() -> dict[str, dict[str, Any]]:
    """Event -> a whole message, as it is sent."""
    moment = "2026-01-31T09:30:00Z"
    return {
        event: {"type": event, "timestamp": moment, "data": data.model_dump(mode="json")}
        for event, data in _EXAMPLES.items()
    }

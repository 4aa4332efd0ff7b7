"""Who takes part in a run: the workers, the manager, and who tells the domain. The one place where they are chosen.

`Settings.parties` names the module whose `parties(settings, database)` is used; another module with such a factory
plugs in another judge or manager without a change here.
"""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from agents.judge import Judge
from agents.manager import Manager
from agents.pairs import Dataset
from agents.panel import Panel, seat_of
from knowledge_base.criterion import Domain
from knowledge_base.errors import InputError
from services.database import Database
from services.settings import PREFIX, Settings

if TYPE_CHECKING:
    from knowledge_base.index import Index
    from services.knowledge.holdings import Library

MANAGERS = 4
"""Managers over earlier knowledge bases that are kept beside the latest, for the runs that began with those."""


class Parties(Protocol):
    """The parties of a deployment."""

    def workers(self) -> tuple[Judge, ...]:
        """The judges that answer; every one of them answers every question."""
        ...

    def panel(self) -> Panel:
        """What a run must know of the workers."""
        ...

    def manager(self) -> Manager:
        """The manager that proposes criteria."""
        ...

    def domain(self, dataset: Dataset) -> Domain:
        """The domain that a dataset's texts belong to."""
        ...

    def preload(self) -> None:
        """Load what jobs will need, once, before a worker takes its first."""
        ...


@runtime_checkable
class Mindful(Protocol):
    """Parties whose knowledge base grows, and who remember what it was when a run began."""

    def manager_of(self, fingerprint: str) -> Manager:
        """The manager over the knowledge base that this fingerprint names; over today's where it names none."""
        ...


def manager_for(parties: Parties, fingerprint: str) -> Manager:
    """The manager that a run goes on with: one with the knowledge base that the run began with.

    Args:
        parties: of the deployment.
        fingerprint: of the manager that the run was created with (`RunFacts.manager`).
    """
    return parties.manager_of(fingerprint) if isinstance(parties, Mindful) else parties.manager()


class EmbeddedParties:
    """Signals judge and statistics manage: no key, no network, no cost."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings, self.database = settings, database
        self._managers: list[tuple[Index, Manager]] = []

    def workers(self) -> tuple[Judge, ...]:
        """The signal judge, remembering its measurements in the database."""
        return (self._judge,)

    def panel(self) -> Panel:
        """The signal judge alone, whose answers cost nothing."""
        return Panel(seats=(seat_of(self._judge),))

    def manager(self) -> Manager:
        """The manager over the knowledge base as it stands."""
        return self._manager_over(self.index)

    def manager_of(self, fingerprint: str) -> Manager:
        """See `Mindful`."""
        return self._manager_over(self.library.named_in(fingerprint) or self.index)

    @cached_property
    def _judge(self) -> Judge:
        from agents.signal_judge import SignalJudge
        from agents.signals.measurement import signals_version
        from services.measurement_store import SqlMeasurements

        return SignalJudge(SqlMeasurements(self.database, signals_version()))

    def _manager_over(self, index: Index) -> Manager:
        """The manager that draws on this index; the latest few are kept with all that they have measured."""
        for known, manager in self._managers:
            if known is index:
                return manager
        made = self._new_manager(index)
        self._managers = [(index, made), *self._managers[:MANAGERS]]
        return made

    def _new_manager(self, index: Index) -> Manager:
        from agents.signals.measurement import signals_version
        from agents.statistical_manager import StatisticalManager
        from services.measurement_store import SqlMeasurements

        return StatisticalManager(index, SqlMeasurements(self.database, signals_version()))

    @property
    def index(self) -> Index:
        """The knowledge base as it stands: the catalogue and what was approved since."""
        return self.library.current()

    @cached_property
    def library(self) -> Library:
        """The knowledge base, and what it was when earlier runs began."""
        from services.knowledge.holdings import Library

        return Library(self.database, self.settings.home)

    def domain(self, dataset: Dataset) -> Domain:
        """Recognised from texts, prompts and description."""
        from knowledge_base.domains import recognise_domain

        texts = [text for pair in dataset.pairs for text in (pair.a, pair.b)]
        return recognise_domain(texts, [p.prompt for p in dataset.pairs], dataset.description).domain

    def preload(self) -> None:
        """Load lexicons, grammars, the embedding model and the catalogue."""
        import agents.statistical_manager
        from agents.signals.measurement import warm_up
        from knowledge_base.embedding import preload, set_threads
        from knowledge_base.entries import load_catalogue

        set_threads(self.settings.threads)
        preload()
        warm_up()
        load_catalogue()
        del agents


def parties(settings: Settings, database: Database) -> Parties:
    """Chat models where the settings name any, else the parties that need none."""
    if not settings.worker_model and not settings.manager_model:
        return EmbeddedParties(settings, database)
    from services.chat_parties import ChatParties

    return ChatParties(settings, database)


def load_parties(settings: Settings, database: Database) -> Parties:
    """The parties that the settings name.

    Raises:
        InputError: there is no such module, or it has no `parties` factory.
    """
    try:
        factory = importlib.import_module(settings.parties).parties
    except (ImportError, AttributeError) as error:
        remedy = "name an importable module with a parties(settings, database) function"
        raise InputError(f"{PREFIX}PARTIES is {settings.parties!r} ({error}); {remedy}") from error
    made: Parties = factory(settings, database)
    return made

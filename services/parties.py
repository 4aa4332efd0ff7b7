"""Who takes part in a run: the judge, the manager, and who tells the domain. The one place where they are chosen.

`Settings.parties` names the module whose `parties(settings, database)` is used; another module with such a factory
plugs in another judge or manager without a change here.
"""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import Protocol

from agents.judge import Judge
from agents.manager import Manager
from agents.pairs import Dataset
from knowledge_base.criterion import Domain
from knowledge_base.errors import InputError
from services.database import Database
from services.settings import PREFIX, Settings


class Parties(Protocol):
    """The parties of a deployment."""

    def judge(self) -> Judge:
        """The judge that workers answer with."""
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


class EmbeddedParties:
    """Signals judge and statistics manage: no key, no network, no cost."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings, self._database = settings, database

    def judge(self) -> Judge:
        """The signal judge, remembering its measurements in the database."""
        return self._judge

    def manager(self) -> Manager:
        """The statistical manager, over the catalogue."""
        return self._manager

    @cached_property
    def _judge(self) -> Judge:
        from agents.signal_judge import SignalJudge
        from agents.signals.measurement import signals_version
        from services.measurement_store import SqlMeasurements

        return SignalJudge(SqlMeasurements(self._database, signals_version()))

    @cached_property
    def _manager(self) -> Manager:
        from agents.signals.measurement import signals_version
        from agents.statistical_manager import StatisticalManager
        from knowledge_base.entries import load_catalogue
        from knowledge_base.index import Index
        from services.measurement_store import SqlMeasurements

        index = Index.load_or_build(load_catalogue(), self._settings.home / "index")
        return StatisticalManager(index, SqlMeasurements(self._database, signals_version()))

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

        set_threads(self._settings.threads)
        preload()
        warm_up()
        load_catalogue()
        del agents


def parties(settings: Settings, database: Database) -> Parties:
    """The parties of the embedded mode."""
    return EmbeddedParties(settings, database)


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

"""A run's result, read from the database and from nothing else, so that a report can be made again at any time."""

from __future__ import annotations

from sqlalchemy import select

from agents.ballot import effective_votes, vote_correlation
from agents.outcome import Outcome, PairOutcome, VoteAccuracy, measure_outcomes
from agents.pairs import Pair
from agents.votes import Votes
from knowledge_base.errors import RunError
from services.database import Database
from services.hardest_pairs import hardest_pairs
from services.mining_thread import StoredThread, load_run, load_thread
from services.run_facts import Holdout
from services.run_result import DatasetFacts, Redundancy, RunResult
from services.runs import thread_names
from services.sql_ledger import SqlLedger
from services.tables import OutcomeRow, RunRow, ThreadRow
from services.usage import usage_of

REDUNDANT = 0.8
"""Vote correlation at which two criteria are called redundant: they share 64 % of the variance of their votes."""

Finished = tuple[StoredThread, Outcome]


def result_of(database: Database, run: str) -> RunResult:
    """A finished run's result.

    Raises:
        RunError: there is no such run, or it is not finished.
    """
    stored = load_run(database, run)
    threads = {
        name: (load_thread(database, f"{run}-{name}", stored), o) for name, o in _outcomes(database, run).items()
    }
    main, outcome = threads["main"]
    folds = {name: threads[name] for name in thread_names(list(threads)) if name != "main"}
    ledger = SqlLedger(database, run, main.id)
    names = tuple(c.name for c in outcome.criteria_set.criteria)
    votes = ledger.votes([c.hash for c in outcome.criteria_set.criteria], sorted(p.hash for p in main.mining))
    correlation = _correlation(votes)
    weighted, majority = _held_out(stored.facts.holdout, outcome, folds)
    holders = folds or {"main": (main, outcome)}
    hardest, source = hardest_pairs(database, stored.facts.holdout, list(holders.values()), votes)
    return RunResult(
        run=run,
        dataset=_dataset_facts(database, main, folds),
        config=stored.config,
        facts=stored.facts,
        criteria_set=outcome.criteria_set,
        rounds=tuple(ledger.records()),
        mining_weighted=outcome.mining_weighted,
        mining_majority=outcome.mining_majority,
        held_out_weighted=weighted,
        held_out_majority=majority,
        held_out_assessments=outcome.sealed_assessments,
        folds={name: tuple(c.name for c in o.criteria_set.criteria) for name, (_, o) in folds.items()},
        correlation=correlation,
        effective_votes=effective_votes(votes),
        redundant=_redundant(names, correlation),
        hardest=hardest,
        hardest_from=source,
        usage=usage_of(database, run, stored.seconds),
    )


def _outcomes(database: Database, run: str) -> dict[str, Outcome]:
    query = (
        select(ThreadRow.name, OutcomeRow.body)
        .join(OutcomeRow, OutcomeRow.thread == ThreadRow.id, isouter=True)
        .where(ThreadRow.run == run)
    )
    with database.read() as connection:
        found: dict[str, str | None] = {name: body for name, body in connection.execute(query)}  # noqa: C416 - see usage
    unfinished = thread_names([name for name, body in found.items() if body is None])
    if unfinished or not found:
        raise RunError(f"run {run} is not finished ({', '.join(unfinished)} still to do); run the same command again")
    return {name: Outcome.model_validate_json(body) for name, body in found.items() if body is not None}


def _held_out(
    holdout: Holdout, main: Outcome, folds: dict[str, Finished]
) -> tuple[VoteAccuracy | None, VoteAccuracy | None]:
    pooled: list[PairOutcome] = [p for _, outcome in folds.values() for p in outcome.sealed] or list(main.sealed)
    return measure_outcomes(pooled, holdout) if holdout != "none" else (None, None)


def _correlation(votes: Votes) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(x), 6) for x in row) for row in vote_correlation(votes))


def _redundant(names: tuple[str, ...], correlation: tuple[tuple[float, ...], ...]) -> tuple[Redundancy, ...]:
    found = [
        Redundancy(first=names[i], second=names[j], correlation=correlation[i][j])
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if abs(correlation[i][j]) >= REDUNDANT
    ]
    return tuple(sorted(found, key=lambda r: (-abs(r.correlation), r.first, r.second)))


def _dataset_facts(database: Database, main: StoredThread, folds: dict[str, Finished]) -> DatasetFacts:
    dataset = main.run.dataset
    pairs: tuple[Pair, ...] = dataset.pairs
    with database.read() as connection:
        test = connection.execute(select(RunRow.test).where(RunRow.id == main.run.id)).scalar_one()
    return DatasetFacts(
        name=dataset.name,
        description=dataset.description,
        hash=dataset.hash,
        pairs=len(pairs),
        ties=sum(p.preferred == "tie" for p in pairs),
        mining=len(main.mining),
        held_out=sum(len(thread.sealed) for thread, _ in folds.values()) or len(main.sealed),
        with_prompt=sum(bool(p.prompt) for p in pairs),
        with_reason=sum(bool(p.reason) or any(v.reason for v in p.votes) for p in pairs),
        test=test,
    )

"""Sums of the calls to models, so that what was spent in all is told without reading every call."""

from __future__ import annotations

from sqlalchemy import BigInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from services.tables import Tables


class CallSumRow(Tables):
    """What calls of one model, stage and end took, up to the call that `call_marks` names; `cost` of those priced."""

    __tablename__ = "call_sums"
    model: Mapped[str] = mapped_column(Text, primary_key=True)
    stage: Mapped[str] = mapped_column(String(12), primary_key=True)
    ended: Mapped[str] = mapped_column(String(12), primary_key=True)
    calls: Mapped[int] = mapped_column(BigInteger, default=0)
    prompt: Mapped[int] = mapped_column(BigInteger, default=0)
    cached: Mapped[int] = mapped_column(BigInteger, default=0)
    completion: Mapped[int] = mapped_column(BigInteger, default=0)
    cost: Mapped[float] = mapped_column(default=0.0)


class CallMarkRow(Tables):
    """Up to which call (its id) the sums go; there is one row, `name` is `sums`."""

    __tablename__ = "call_marks"
    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger, default=0)

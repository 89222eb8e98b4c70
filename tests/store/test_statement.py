"""Statements that could go wrong at night are refused when the program loads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, insert, select, update

from gateway.store import schema
from gateway.store.statement import BadStatement, Command, Query

THINGS = Table("things", MetaData(), Column("name", Text, primary_key=True), Column("size", Integer))
DEFAULTED = Table("defaulted", MetaData(), Column("name", Text), Column("size", Integer, default=7))


class Thing(NamedTuple):
    name: str
    size: int


@dataclass(frozen=True)
class Reversed:
    size: int
    name: str


def test_parameters_are_put_in_the_order_of_each_database() -> None:
    command = Command(update(THINGS).where(THINGS.c.name == bindparam("key")).values(size=bindparam("new") + 1))
    assert command.sqlite.sql == "UPDATE things SET size=(? + ?) WHERE things.name = ?"
    assert command.postgres.sql == "UPDATE things SET size=($1 + $2::INTEGER) WHERE things.name = $3::VARCHAR"
    for compiled in (command.sqlite, command.postgres):
        assert compiled.bind({"key": "k", "new": 5}) == (5, 1, "k")


def test_lists_of_constants_are_written_out() -> None:
    query = Query(select(THINGS).where(THINGS.c.name.in_(["a", "b"])), Thing)
    assert query.sqlite.bind({}) == query.postgres.bind({}) == ("a", "b")


def test_lists_of_the_caller_have_no_fixed_text() -> None:
    with pytest.raises(BadStatement):
        Query(select(THINGS).where(THINGS.c.name.in_(bindparam("names", expanding=True))), Thing)


def test_rows_must_fit_their_columns() -> None:
    assert Query(select(THINGS), Thing).row("a", 1) == Thing("a", 1)
    with pytest.raises(BadStatement, match="do not fit"):
        Query(select(THINGS), Reversed)
    with pytest.raises(BadStatement, match="do not fit"):
        Query(select(THINGS.c.name), Thing)


def test_columns_are_converted_by_name() -> None:
    assert Query(select(THINGS), Thing, {"size": str}).row("a", 1) == ("a", "1")


def test_defaults_that_would_not_run_are_refused() -> None:
    with pytest.raises(BadStatement, match="defaults"):
        Command(insert(DEFAULTED).values(name=bindparam("name")))


def test_nothing_is_returned_that_nobody_asked_for() -> None:
    assert "RETURNING" not in Command(insert(schema.outbox).values(event_id=bindparam("event_id"))).postgres.sql

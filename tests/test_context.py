"""Promises of `crmlogging.context`: who sees which id and which fields."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from crmlogging.context import Scope, bind, correlation, current, unbind


class TestCorrelation:
    def test_binds_inside_and_restores_outside(self) -> None:
        """Id and fields are there exactly as long as the block is open."""
        with correlation("job-1", crm="zoho") as id:
            assert (id, current().id, dict(current().fields)) == ("job-1", "job-1", {"crm": "zoho"})
        assert (current().id, dict(current().fields)) == (None, {})

    def test_inner_scope_inherits_fields_and_gives_way(self) -> None:
        """A nested scope sees the outer fields, overrides them, and leaves no trace."""
        with correlation("outer", crm="zoho", tenant="a"):
            with correlation("inner", tenant="b"):
                bind(step=2)
                assert dict(current().fields) == {"crm": "zoho", "tenant": "b", "step": 2}
            assert (current().id, dict(current().fields)) == (
                "outer",
                {"crm": "zoho", "tenant": "a"},
            )

    def test_restores_when_body_raises(self) -> None:
        """An exception passes untouched and the scope does not outlive it."""
        with pytest.raises(ZeroDivisionError), correlation("job-1"):
            1 / 0  # noqa: B018
        assert current().id is None

    @pytest.mark.parametrize("inbound", ["a", "A.b_c:9-", "x" * 128])
    def test_keeps_a_well_formed_id(self, inbound: str) -> None:
        """A peer's id is carried on, so that the logs of both sides join up."""
        with correlation(inbound) as id:
            assert id == inbound
        with correlation(id=inbound) as id:
            assert id == inbound

    def test_takes_a_uuid(self) -> None:
        """The id most programs have at hand is taken in its usual text."""
        inbound = uuid.UUID(int=7)
        with correlation(inbound) as id:
            assert id == "00000000-0000-0000-0000-000000000007"

    @pytest.mark.parametrize(
        "inbound",
        [
            pytest.param(None, id="absent"),
            pytest.param("", id="empty"),
            pytest.param("x" * 129, id="too-long"),
            pytest.param('a"}\n{"level":"INFO', id="forged-line"),
            pytest.param("trailing\n", id="trailing-newline"),
            pytest.param("café", id="not-ascii"),
            pytest.param("ada@example.com", id="e-mail"),
            pytest.param("Bearer x", id="token"),
            pytest.param(b"bytes", id="bytes"),
            pytest.param("١٢٣", id="foreign-digits"),
        ],
    )
    def test_replaces_anything_else(self, inbound: object) -> None:
        """Hostile or missing input yields a fresh id, not an error and not the input."""
        with correlation(inbound) as first, correlation(inbound) as second:
            assert first != second
            assert all(len(id) == 32 and int(id, 16) >= 0 for id in (first, second))

    def test_decorates_a_function_with_a_fresh_id_a_call(self) -> None:
        """Each call is its own piece of work; name and docstring stay."""

        @correlation(crm="hubspot")
        def job(x: int) -> tuple[int, str | None, object]:
            """Do it."""
            return x, current().id, current().fields["crm"]

        (first, id_1, crm), (_, id_2, _) = job(1), job(2)
        assert (first, crm, job.__name__, job.__doc__) == (1, "hubspot", "job", "Do it.")
        assert id_1 != id_2

    def test_decorates_coroutines_and_generators(self) -> None:
        """The scope is open while the body runs, not only while the object is made."""

        @correlation("a")
        async def coroutine() -> str | None:
            await asyncio.sleep(0)
            return current().id

        @correlation("g")
        def generator() -> Iterator[str | None]:
            yield current().id

        @correlation("ag")
        async def async_generator() -> AsyncIterator[str | None]:
            yield current().id

        async def main() -> list[str | None]:
            return [await coroutine(), *[id async for id in async_generator()]]

        assert [*asyncio.run(main()), *generator()] == ["a", "ag", "g"]

    def test_one_decorator_serves_many_threads(self) -> None:
        """Threads inside one decorated function at once do not mix their scopes."""
        barrier = threading.Barrier(8)
        seen: list[str | None] = []

        @correlation()
        def job() -> None:
            barrier.wait(timeout=60)
            seen.append(current().id)
            barrier.wait(timeout=60)

        threads = [threading.Thread(target=job) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(set(seen)) == 8

    def test_tasks_do_not_see_each_other(self) -> None:
        """Two tasks that are provably inside their scopes at once keep their own."""

        async def work(id: str, barrier: asyncio.Barrier) -> str | None:
            with correlation(id):
                await barrier.wait()
                return current().id

        async def main() -> tuple[str | None, str | None]:
            barrier = asyncio.Barrier(2)
            return await asyncio.gather(work("a", barrier), work("b", barrier))

        assert tuple(asyncio.run(main())) == ("a", "b")

    def test_may_be_closed_in_another_context(self) -> None:
        """Closing from a foreign context neither raises nor disturbs that context."""
        scope: Scope = correlation("streamed")
        contextvars.copy_context().run(scope.__enter__)
        with correlation("other-request"):
            scope.__exit__(None, None, None)
            assert current().id == "other-request"


class TestBind:
    def test_lasts_until_unbind_outside_a_scope(self) -> None:
        """A worker may bind what it is once, for good."""
        bind(**{"queue.name": "slow"})
        assert dict(current().fields) == {"queue.name": "slow"}
        unbind("queue.name", "never-bound")
        assert dict(current().fields) == {}

    def test_reserved_names_are_namespaced(self) -> None:
        """A field can never overwrite what the standard library puts on a record."""
        with correlation():
            bind(name="x", message="y", levelname="z")
            assert sorted(current().fields) == ["extra.levelname", "extra.message", "extra.name"]
            unbind("name")
            assert sorted(current().fields) == ["extra.levelname", "extra.message"]

    def test_a_new_thread_starts_without(self) -> None:
        """A bare thread inherits nothing: pinned, since callers must know."""
        seen: list[str | None] = []
        with correlation("job-1"):
            worker = threading.Thread(target=lambda: seen.append(current().id))
            worker.start()
            worker.join()
        assert seen == [None]

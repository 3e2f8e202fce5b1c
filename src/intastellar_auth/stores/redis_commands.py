"""What is said to a client of redis-py: one command, or several at once.

Several are one wait, whatever their number; in a cluster one for each node, at the same time. They
are no transaction: its keys would all have to be on one node. This file knows no connections, and
not what is stored.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

Word: TypeAlias = str | bytes | int

Command: TypeAlias = tuple[Word, ...]
"""One command, by its words."""

Batch: TypeAlias = list[Command]
"""Several commands, whose answers are a list in the same order."""


class Pipeline(Protocol):
    """What the blocking pipelines of redis-py have in common."""

    def execute_command(self, *words: Word) -> object:
        """Add a command."""
        ...

    def execute(self, raise_on_error: bool) -> list[object]:
        """Send all that was added, and return an answer, or an error, for each."""
        ...


class Client(Protocol):
    """What the blocking clients of redis-py have in common."""

    def execute_command(self, *words: Word) -> object:
        """Return the answer to one command."""
        ...

    def pipeline(self, transaction: bool) -> Pipeline:
        """Return what takes several commands."""
        ...


class AsyncPipeline(Protocol):
    """What the asynchronous pipelines of redis-py have in common."""

    def execute_command(self, *words: Word) -> object:
        """Add a command."""
        ...

    async def execute(self, raise_on_error: bool) -> list[object]:
        """Send all that was added, and return an answer, or an error, for each."""
        ...


class AsyncClient(Protocol):
    """What the asynchronous clients of redis-py have in common."""

    async def execute_command(self, *words: Word) -> object:
        """Return the answer to one command."""
        ...

    def pipeline(self, transaction: bool) -> AsyncPipeline:
        """Return what takes several commands."""
        ...

    async def aclose(self) -> None:
        """Close all connections."""
        ...


def answer_of(client: Client, said: Command | Batch) -> object:
    """Return the answer to a command, or those to a batch; raises what redis-py does."""
    if isinstance(said, tuple):
        return client.execute_command(*said)
    pipeline = client.pipeline(transaction=False)
    for command in said:
        pipeline.execute_command(*command)
    return _without_errors(pipeline.execute(raise_on_error=False))


async def answer_of_async(client: AsyncClient, said: Command | Batch) -> object:
    """Do what ``answer_of`` does, on the client's event loop."""
    if isinstance(said, tuple):
        return await client.execute_command(*said)
    pipeline = client.pipeline(transaction=False)
    for command in said:
        pipeline.execute_command(*command)
    return _without_errors(await pipeline.execute(raise_on_error=False))


def _without_errors(answers: list[object]) -> list[object]:
    """Raise the first error among ``answers``: it must not be taken for a key that holds nothing.

    redis-py would raise it with the command in its words, which then begin like no error we know.
    """
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers

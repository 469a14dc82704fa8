"""The private Redis, which carries the jobs that are due now."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from deploy.stack.accounts import Account
from deploy.stack.home import Home, write_private
from deploy.stack.part import Part
from ingest.lanes import queues
from ingest.ledger import Lane

WORKERS = tuple(queues.health_key(lane) for lane in Lane)
"""Where the workers of each lane say that they live."""
DISPATCHERS = (queues.DISPATCHER,)
"""Where dispatchers say so."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A Redis server that keeps what it was told in the data folder of the stack."""

    home: Home
    program: Path
    port: int
    account: Account | None

    @property
    def url(self) -> str:
        """Address with its password: whoever writes to the queue has files opened."""
        return f"redis://:{self.home.secret('redis')}@127.0.0.1:{self.port}/0"

    def create(self) -> None:
        """Write its configuration, which holds the password and so belongs to it alone.

        Raises:
            HomeError: The folder cannot be used.
        """
        if self.account:
            self.account.own(self.home.redis)
        else:
            self.home.redis.mkdir(mode=0o700, exist_ok=True)
        write_private(self._configuration, self._settings())
        if self.account:
            os.chown(self._configuration, self.account.uid, self.account.gid)

    def part(self, environment: Mapping[str, str]) -> Part:
        """Describe the server to the supervisor."""
        return Part(
            name="redis",
            title="Redis",
            command=(str(self.program), str(self._configuration)),
            environment=environment,
            folder=self.home.redis,
            log=self.home.log("redis"),
            ready=lambda: answers(self.url),
            port=self.port,
            account=self.account,
        )

    @property
    def _configuration(self) -> Path:
        return self.home.redis / "redis.conf"

    def _settings(self) -> str:
        return "\n".join(
            (
                "bind 127.0.0.1",
                f"port {self.port}",
                f"requirepass {self.home.secret('redis')}",
                # The server starts in its folder, whose path may hold what needs quoting here.
                "dir .",
                "appendonly yes",
                'save ""',
                "maxmemory-policy noeviction",
                "daemonize no",
                "",
            )
        )


async def answers(url: str) -> bool:
    """Tell whether a Redis answers."""
    try:
        async with _client(url) as client:
            await client.ping()
    except (RedisError, OSError):
        return False
    return True


async def lives(url: str, keys: tuple[str, ...]) -> bool:
    """Tell whether all that write these keys have said that they live."""
    try:
        async with _client(url) as client:
            return bool(await client.exists(*keys) == len(keys))
    except (RedisError, OSError):
        return False


async def forget(url: str, keys: tuple[str, ...]) -> None:
    """Forget that somebody said so: one that was killed could not take it back."""
    try:
        async with _client(url) as client:
            await client.delete(*keys)
    except (RedisError, OSError):
        return


def _client(url: str) -> Redis:
    client: Redis = Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5)
    return client

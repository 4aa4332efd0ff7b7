"""A process that calls through a `RedisGate` and counts, in Redis itself, what is under way: run by the gate's tests.

Arguments: URL, endpoint, places, calls at once, seconds of a call, calls in all (0: until killed), its name, and the
seconds for which its share stands.
"""

from __future__ import annotations

import asyncio
import sys

import redis.asyncio

from services import redis_gate
from services.redis_gate import RedisGate

# Counts a call as it begins, remembers the most that were ever under way, and when, on the server's clock.
BEGIN = """
local now = redis.call('INCR', KEYS[1] .. ':now')
if now > tonumber(redis.call('GET', KEYS[1] .. ':most') or '0') then redis.call('SET', KEYS[1] .. ':most', now) end
local time = redis.call('TIME')
redis.call('RPUSH', KEYS[1] .. ':begun:' .. ARGV[1], time[1] .. '.' .. string.format('%06d', time[2]))
redis.call('RPUSH', KEYS[1] .. ':levels', now)
"""


async def call_all(url: str, gate: RedisGate, at_once: int, seconds: float, calls: int, name: str) -> None:
    """Keep so many calls at once going."""
    left = iter(range(calls or 10**9))
    async with redis.asyncio.Redis.from_url(url) as client:

        async def go_on() -> None:
            for _ in left:
                async with gate.admit(10):
                    await client.eval(BEGIN, 1, "seen", name)
                    await asyncio.sleep(seconds)
                    await client.decr("seen:now")

        await asyncio.gather(*(go_on() for _ in range(at_once)))


def main(url: str, endpoint: str, places: str, at_once: str, seconds: str, calls: str, name: str, lease: str) -> None:
    """Call, and give the share back."""
    redis_gate.LEASE_SECONDS = float(lease)
    with RedisGate(url, endpoint, int(places)) as gate:
        asyncio.run(call_all(url, gate, int(at_once), float(seconds), int(calls), name))


if __name__ == "__main__":
    main(*sys.argv[1:])

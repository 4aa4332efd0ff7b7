"""Places at an endpoint, shared out between processes by Redis: at most so many are granted, whoever asks and dies.

Each process (a holder) says how many places it uses and how many it could use; it is granted a part that is its own
until it asks again or its time is over. What a holder may use, or still uses though less is granted to it now, is never
granted to another. Shares are equal except that nobody gets more than it wants (max-min fairness); what cannot be
shared out evenly goes round, so that each gets its turn even where there are more holders than places.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

TIMEOUT_SECONDS = 2.0
"""How long the server may take to answer."""

TURN_SECONDS = 2.0
"""How long a place that cannot be shared stays with a holder."""

SCRIPT = """
local me, using, wanted = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, lease, pause, turn = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

if pause > redis.call('PTTL', KEYS[2]) and pause > 0 then
  redis.call('SET', KEYS[2], 1, 'PX', pause)
end

local wants, names, held, hungry = {}, {}, 0, 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local has, uses, want, ends = string.match(all[i + 1], '^(%d+) (%d+) (%d+) (%d+)$')
  if not ends or tonumber(ends) < now then
    redis.call('HDEL', KEYS[1], all[i])
  elseif all[i] ~= me then
    held = held + math.max(tonumber(has), tonumber(uses))
    if tonumber(has) < tonumber(want) then hungry = 1 end
    wants[all[i]] = math.min(tonumber(want), limit)
    names[#names + 1] = all[i]
  end
end
wants[me] = math.min(wanted, limit)
names[#names + 1] = me

local function filled(level)
  local sum = 0
  for _, want in pairs(wants) do sum = sum + math.min(want, level) end
  return sum
end
local level, high = 0, limit
while level < high do
  local middle = math.ceil((level + high) / 2)
  if filled(middle) <= limit then level = middle else high = middle - 1 end
end

local short, mine = {}, 0
table.sort(names)
for _, name in ipairs(names) do
  if wants[name] > level then short[#short + 1] = name end
  if name == me then mine = #short end
end
local target = math.min(wants[me], level)
if wants[me] > level then
  local first = math.floor(now / turn) % #short
  if (mine - 1 - first) % #short < limit - filled(level) then target = target + 1 end
end

local grant = math.max(0, math.min(target, limit - held))
if using == 0 and wanted == 0 then
  redis.call('HDEL', KEYS[1], me)
else
  redis.call('HSET', KEYS[1], me, string.format('%d %d %d %.0f', grant, using, wanted, now + lease))
  redis.call('PEXPIRE', KEYS[1], lease)
end
return {grant, target, hungry, #names, math.max(0, redis.call('PTTL', KEYS[2]))}
"""


@dataclass(frozen=True)
class Grant:
    """The server's answer.

    Attributes:
        places: how many may be used.
        target: how many could be, were it not that others still use some of them.
        contested: whether others want more than they have.
        holders: how many processes share the places.
        pause: seconds for which the endpoint wants to be left alone.
    """

    places: int
    target: int
    contested: bool
    holders: int
    pause: float


class SharedPlaces:
    """The places of one endpoint, as one holder sees them.

    Args:
        client: of the server.
        endpoint: any name.
        holder: unique.
        limit: places in all.
        lease_seconds: how long a grant stands.
    """

    def __init__(self, client: redis.Redis, endpoint: str, holder: str, limit: int, lease_seconds: float) -> None:
        name = key_of(endpoint)
        self._keys = [f"{name}:places", f"{name}:pause"]
        self._holder, self._limit, self._lease = holder, limit, round(lease_seconds * 1000)
        self._script = client.register_script(SCRIPT)

    def ask(self, using: int, wanted: int, pause: float = 0.0) -> Grant:
        """Tell how many places are used and how many could be; ask for a pause of so many seconds.

        Raises:
            RedisError: the server did not answer. Whether it heard is not known.
        """
        turn = round(TURN_SECONDS * 1000)
        told: list[str | int] = [self._holder, using, wanted, self._limit, self._lease, round(pause * 1000), turn]
        answer: Any = self._script(keys=self._keys, args=told)
        places, target, hungry, holders, left = map(int, answer)
        return Grant(places, target, bool(hungry), holders, left / 1000)


def key_of(endpoint: str) -> str:
    """Start of the keys of an endpoint, whose own name may hold any character."""
    return f"touchstone:gate:{hashlib.sha256(endpoint.encode()).hexdigest()[:16]}"


def client_of(url: str) -> redis.Redis:
    """A client that says soon when the server does not answer; whoever asks tries again by itself."""
    client: redis.Redis = redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, retry=Retry(NoBackoff(), 0)
    )
    return client

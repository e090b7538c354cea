"""Clients that make the control API work and do not want the answer."""

import asyncio
import contextlib
import itertools
import json
import os
import time

import http1
from attack import attack
from server import Server

# No text, so that a search cannot take the way for text.
BINARY = b"\xff" + 1023 * 1024 * b"a"
ALMOST = 200 * "a" + "b"

# How many requests are measured together, and how much dearer waits may make one: a tenth, and what clocks are off.
REQUESTS = 5000
DEARER = 1.15

# How many waits there may be at a time.
WAITS = 256

# How many search at a time, and how often; for how long answers are counted meanwhile, and what that may cost: a fifth,
# and what clocks are off.
SEARCHERS = 8
SEARCHES = 100
SLICE = 3
SHARE = 0.22
SLOWED = 0.78


def full_of_binary(server):
    http1.fill(server, 63, BINARY)


def full_of_objects(server):
    http1.fill(server, 10_000, http1.valid())


def full_of_text(server):
    http1.fill(server, 63, http1.valid(1000 * 1024))


@attack(clients=560, prepare=full_of_binary)
async def abandoned_searches(target):
    """Searches a journal full of bodies that are no text, and hangs up."""
    await _abandon(target, http1.get(f"/__standin/requests?contains={ALMOST}"))


@attack(clients=64, prepare=full_of_binary)
async def abandoned_searching_waits(target):
    """Waits for a text that never comes in a journal full of bodies that are no text, and hangs up."""
    await _abandon(target, http1.get(f"/__standin/requests?wait=1&timeout=60s&contains={ALMOST}"))


@attack(clients=4, prepare=full_of_objects)
async def large_verifications(target):
    """Verifies 111 844 members over 10 000 exchanges, and hangs up."""
    body = '{"body":{' + ",".join(f'"{n:x}":1' for n in range(111_844)) + "}}"
    path = "/__standin/requests/verify"
    await _abandon(target, http1.request(path=path, body=body.encode()))


@attack(clients=1024)
async def idle_streams(target):
    """Opens a stream of events and stays."""
    async with await target.connect() as peer:
        await peer.send(http1.get("/__standin/requests/stream?contains=nothing-has-this"))
        await _stay(target, peer)


@attack(clients=1024)
async def gone_streams(target):
    """Opens a stream of events and hangs up."""
    await _abandon(target, http1.get("/__standin/requests/stream?contains=nothing-has-this"))


@attack(clients=1024)
async def gone_waits(target):
    """Waits for what never comes, and hangs up."""
    await _abandon(target, http1.get("/__standin/requests?wait=10000&timeout=60s&operation=createQueue"))


@attack(clients=1024)
async def live_waits(target):
    """Waits for what never comes, and stays."""
    async with await target.connect() as peer:
        await peer.send(http1.get("/__standin/requests?wait=10000&timeout=60s&operation=createQueue"))
        await _stay(target, peer)


FORMATS = itertools.cycle(
    ["export?format=har", "export?format=ndjson", "export?format=curl", "requests?limit=10000", "requests/stream"]
)


@attack(clients=100, prepare=full_of_text)
async def unread_exports(target):
    """Asks for all of a full journal and reads nothing, while others keep replacing what is in it."""
    number = target.tally["exports"]
    target.tally["exports"] += 1
    if number == 0:
        await _replace(target)
    # One after the other, so that each finds other exchanges.
    await asyncio.sleep(target.seconds * 0.8 * number / 100)
    async with await target.connect(buffer=1024) as peer:
        await peer.send(http1.get(f"/__standin/{next(FORMATS)}"))
        await asyncio.sleep(3600)


@attack(once=True)
async def cost_of_waits(target):
    """Measures what a request costs the processor while a thousand clients wait for others."""
    costs = {0: [], 1000: []}
    with Server() as server:
        # In turn and more than once, since the machine has other things to do.
        for waits in (0, 1000) * 3:
            with contextlib.ExitStack() as waiting:
                for _ in range(waits):
                    peer = waiting.enter_context(server.connect(5))
                    peer.sendall(http1.get("/__standin/requests?wait=10000&timeout=60s&operation=createQueue"))
                # Letting them in, and their first look at the journal, cost something once; what they cost while they
                # wait is asked here.
                _settle(server, "waits", min(waits, WAITS))
                before = server.processor_time()
                await asyncio.to_thread(http1.fill, server, REQUESTS, http1.valid())
                costs[waits].append((server.processor_time() - before) / REQUESTS)
            _settle(server, "waits", 0)
    alone, beside = (min(values) for values in costs.values())
    target.remark(f"{alone * 1e6:.0f} µs of processor time a request, {beside * 1e6:.0f} µs beside 1000 waits")
    if beside > DEARER * alone:
        target.fail_time(f"beside 1000 waits a request takes {beside / alone:.1f} times as much processor time")


@attack(once=True)
async def cost_of_searches(target):
    """Measures how many requests are answered, and what they cost the processor, while others search all the time."""
    rounds = {0: [], SEARCHERS: []}
    with Server("--journal-bytes", "512MiB", "--journal-entries", "1000000") as server:
        full_of_binary(server)
        for searchers in (0, SEARCHERS) * 3:
            _settle(server, "searches", 0)
            with contextlib.ExitStack() as searching:
                for _ in range(searchers):
                    # One after the other, without anybody who reads: what a client takes of the processors is not asked.
                    peer = searching.enter_context(server.connect(5))
                    peer.sendall(SEARCHES * http1.get(f"/__standin/requests?contains={ALMOST}"))
                before, start = server.processor_time(), time.monotonic()
                answered = await asyncio.to_thread(_answered, server, SLICE)
                took = time.monotonic() - start
                rounds[searchers].append((answered, took, server.processor_time() - before))
    alone, beside = (max(answered / took for answered, took, _ in kind) for kind in rounds.values())
    cost = min(used / answered for answered, _, used in rounds[0])
    # What is left when a request costs beside them what it costs alone is what the searches take, of all processors.
    share = min((used - answered * cost) / took for answered, took, used in rounds[SEARCHERS]) / os.cpu_count()
    target.remark(
        f"{alone:.0f} requests a second, {beside:.0f} beside {SEARCHERS} that search;"
        f" the searches take {share:.0%} of the processors"
    )
    if share > SHARE:
        target.fail_time(f"searches take {share:.0%} of the processors, where {SHARE:.0%} are allowed")
    if beside < SLOWED * alone:
        target.fail_time(f"beside searches {beside:.0f} requests a second are answered, where {alone:.0f} are alone")


def _answered(server, seconds):
    """How many requests are answered one after the other in that time."""
    data = http1.request(body=http1.valid())
    end = time.monotonic() + seconds
    with server.connect(60) as connection:
        for count in itertools.count():
            if time.monotonic() > end:
                return count
            connection.sendall(data)
            http1.read(connection)


def _settle(server, task, expected):
    """Returns when so many calls are under way and the server does nothing else."""
    used = None
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        health = json.loads(http1.ask(server, http1.get("/__standin/health"))[2])
        now = server.processor_time()
        if health["underWay"][task] == expected and now == used:
            return
        used = now
        time.sleep(0.1)
    raise TimeoutError(f"expected {expected} {task} under way, but found {health['underWay'][task]}")


async def _replace(target):
    data = http1.request(body=http1.valid(1000 * 1024))
    async with await target.connect() as peer:
        while True:
            await peer.send(data)
            await peer.reply()
            target.tally["replaced"] += 1


async def _stay(target, peer):
    """Stays as long as it is let, and is back a moment after a refusal."""
    while data := await peer.receive():
        if data.startswith(b"HTTP/1.1 503"):
            target.tally["refused by 503"] += 1
            await asyncio.sleep(0.5)
            return


async def _abandon(target, data):
    """Leaves before the answer can be there, and is back a moment later."""
    async with await target.connect() as peer:
        await peer.send(data)
        # The server is given the time to begin.
        await asyncio.sleep(0.2)
    target.tally["abandoned"] += 1
    await asyncio.sleep(0.8)

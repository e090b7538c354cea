"""Clients whose replies wait or break, as they have asked for."""

import asyncio
import functools
import itertools
import pathlib

import http1
import http2
from attack import attack
from http2 import END_HEADERS, END_STREAM, HEADERS, Http2, frame

# As many as leave room for others.
MANY = 900
QUEUES = http1.AGENTS.replace("/agents", "/queues")
# The most streams that a connection may have at a time.
STREAMS = range(1, 256, 2)


@functools.cache
def long_queue():
    """A body of nearly 1 MiB that the reply repeats."""
    sample = pathlib.Path("fixtures/createQueue/request.json").read_bytes()
    return sample.replace(b'"queue2"', b'"' + 1000 * 1024 * b"x" + b'"')


@attack(clients=MANY)
async def hanging_replies(target):
    """Asks for a reply that never comes, and stays."""
    async with await target.connect() as peer:
        await peer.send(http1.request(body=http1.valid(), prefer="fault=hang"))
        if await peer.receive():
            target.fail("expected nothing from a connection that hangs")


@attack(clients=MANY)
async def gone_hanging_replies(target):
    """Asks for a reply that never comes, sends 64 KiB behind it, and hangs up."""
    async with await target.connect() as peer:
        await peer.send(http1.request(body=http1.valid(), prefer="fault=hang") + http1.valid(65536))
        await asyncio.sleep(0.2)
    await asyncio.sleep(0.3)


@attack(clients=200)
async def delayed_replies(target):
    """Asks for 128 replies at a time that wait for five minutes, and stays."""
    block = http2.block(prefer="delay=5m")
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        await peer.send(b"".join(frame(HEADERS, stream, block, END_HEADERS | END_STREAM) for stream in STREAMS))
        target.tally["requests"] += len(STREAMS)
        await http.pump(target)


@attack(clients=MANY, uploads=True)
async def delayed_uploads(target):
    """Sends 1 MiB, and has the reply that repeats it wait for five minutes."""
    async with await target.connect() as peer:
        await peer.send(http1.request(path=QUEUES, body=long_queue(), prefer="delay=5m"))
        await peer.receive()
        # Whoever is given up has had memory that others wait for.
        target.tally["ended"] += 1
        await asyncio.sleep(0.5)


# What the client sees of each.
ENDS = itertools.cycle(
    {
        "reset": lambda data, error: not data and isinstance(error, ConnectionResetError),
        "close": lambda data, error: not data and error is None,
        "garbage": lambda data, error: data and not data.startswith(b"HTTP") and error is None,
        "cut-7": lambda data, error: len(data.partition(b"\r\n\r\n")[2]) == 7 and error is None,
    }.items()
)


@attack(clients=50)
async def broken_replies(target):
    """Has one connection after the other broken in every way there is."""
    fault, is_right = next(ENDS)
    data, error = b"", None
    async with await target.connect() as peer:
        await peer.send(http1.request(body=http1.valid()))
        await peer.reply()
        await peer.send(http1.request(body=http1.valid(), prefer=f"fault={fault}"))
        try:
            while more := await peer.receive():
                data += more
        except OSError as caught:
            error = caught
    if not is_right(data, error):
        target.fail(f"expected the end that {fault} is, but found {data[-100:]} and {error!r}")
    target.tally[fault] += 1

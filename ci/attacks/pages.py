"""Pages of other sites, which a browser lets send requests here without reading the replies."""

import asyncio
import time

import http1
from attack import attack

FOREIGN = (
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"sec_fetch_site": "cross-site"},
    {"origin": "http://evil.example", "sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"},
)
OWN = ({}, {"sec_fetch_site": "none"}, {"sec_fetch_site": "same-origin"})

HEALTH = http1.get("/__standin/health")

# What a page may send without asking first, and would learn something from by how long it takes.
CALLS = (
    http1.get("/__standin/requests?wait=1&timeout=2s&contains=nothing-has-this"),
    http1.get("/__standin/requests?wait=1&timeout=2s&contains=agents"),
    http1.get("/__standin/requests?contains=agents"),
    http1.get("/__standin/requests/stream"),
    http1.get("/__standin/export?format=har"),
    http1.get("/__standin/requests/1"),
    HEALTH,
    http1.request(path="/__standin/requests/verify", body=b"{}"),
    http1.request(path="/__standin/requests/verify", body=b"{}", content_type="text/plain"),
    http1.request(path="/__standin/provider-states", body=b"{}", content_type="text/plain"),
    http1.request("DELETE", "/__standin/requests"),
)


@attack(once=True)
async def foreign_pages(target):
    """Calls the control API as a page of another site, which gets a refusal before any work, in no time."""
    async with await target.connect() as peer:
        await peer.send(http1.request(body=http1.valid()))
        await peer.reply()
    for headers in FOREIGN:
        for call in CALLS:
            await _call(target, call, headers, {403})
    for headers in OWN:
        # Everything else is answered, so that what refuses the others is the page.
        await _call(target, HEALTH, headers, {200})


async def _call(target, call, headers, expected):
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()).encode()
    first, _, rest = call.partition(b"\r\n")
    start = time.monotonic()
    async with await target.connect() as peer:
        await peer.send(first + b"\r\n" + lines + rest)
        try:
            async with asyncio.timeout(target.patience(3)):
                while b"\r\n\r\n" not in peer.unread:
                    peer.unread += await peer.receive() or b"nothing \0\r\n\r\n"
            status = peer.unread.split()[1].decode(errors="replace")
        except TimeoutError:
            status = "no reply"
    took = round(1000 * (time.monotonic() - start))
    what = f"{b' '.join(first.split()[:2]).decode()} with {headers}"
    target.remark(f"{what}: {status} in {took} ms")
    if status not in map(str, expected):
        target.fail(f"{what}: expected {expected}, but found {status} in {took} ms")
    elif took > 200:
        target.fail_time(f"{what}: expected it at once, but it took {took} ms")

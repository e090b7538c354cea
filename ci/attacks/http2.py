"""HTTP/2 as frames, with nothing that would keep a client from breaking the protocol."""

import asyncio
import struct

import http1
import standin

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1
TABLE_SIZE, STREAMS, WINDOW = 1, 3, 4

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME = 16 * 1024


def frame(kind, stream=0, payload=b"", flags=0):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    names = {"table_size": TABLE_SIZE, "streams": STREAMS, "window": WINDOW}
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", names[name], v) for name, v in values.items()))


def number(value, bits, first=0):
    """HPACK's integer in the low `bits` of an octet whose high ones are `first`, and those after it."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    value, octets = value - most, [first | most]
    while value >= 128:
        octets.append(value & 127 | 128)
        value >>= 7
    return bytes([*octets, value])


def field(name, value, first=0, bits=4):
    """A field that the peer does not index; with 0x40 and 6 bits, one that it does."""
    name, value = (part.encode() if isinstance(part, str) else part for part in (name, value))
    return number(0, bits, first) + number(len(name), 7) + name + number(len(value), 7) + value


def block(method="POST", path=http1.AGENTS, **more):
    """The fields of a request; `None` leaves one out, underscores are hyphens."""
    fields = {":method": method, ":scheme": "http", ":authority": "localhost", ":path": path}
    fields |= {"auth": http1.token(), "accountid": standin.ACCOUNT, "content-type": "application/json"}
    fields |= {name.replace("_", "-"): value for name, value in more.items()}
    return b"".join(field(name, value) for name, value in fields.items() if value is not None)


def status(payload):
    """The status at the begin of a reply's head, when it is one that HPACK has a number for."""
    return {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}.get(payload[0] & 127)


class Http2:
    """A connection that has begun. It reads as long as `pump` runs, and sends as much as the windows allow."""

    def __init__(self, peer):
        self.peer = peer
        self.unread = b""
        self.connection_window = self.initial_window = 65535
        self.windows = {}
        self.changed = asyncio.Event()

    @classmethod
    async def begin(cls, peer, **values):
        await peer.send(PREFACE + settings(**values))
        return cls(peer)

    async def frames(self):
        """What the server sends: kind, flags, stream and payload."""
        while more := await self.peer.receive():
            self.unread += more
            while len(self.unread) >= 9:
                length = int.from_bytes(self.unread[:3])
                if len(self.unread) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self.unread[3:9])
                payload, self.unread = self.unread[9:9 + length], self.unread[9 + length:]
                yield kind, flags, stream, payload

    async def pump(self, target):
        """Reads, keeps the windows, acknowledges settings; raises when the server ends the connection."""
        async for kind, flags, stream, payload in self.frames():
            if kind == WINDOW_UPDATE:
                (more,) = struct.unpack(">I", payload)
                if stream:
                    self.windows[stream] = self._window(stream) + more
                else:
                    self.connection_window += more
            elif kind == SETTINGS and not flags & ACK:
                for at in range(0, len(payload), 6):
                    name, value = struct.unpack(">HI", payload[at:at + 6])
                    if name == WINDOW:
                        self.windows = {s: w + value - self.initial_window for s, w in self.windows.items()}
                        self.initial_window = value
                await self.peer.send(frame(SETTINGS, flags=ACK))
            elif kind in (RST_STREAM, GOAWAY):
                target.tally["refused by RST_STREAM" if kind == RST_STREAM else "refused by GOAWAY"] += 1
                # Whoever waits for the window of this stream waits in vain.
                self.windows[stream] = self._window(stream) + (1 << 30)
            elif kind == HEADERS:
                target.tally["replies"] += 1
            self.changed.set()
        raise EOFError("the server ended the connection")

    async def upload(self, stream, body, end=END_STREAM):
        """Sends a body, or the part of one that is not its end, as the windows allow."""
        for start in range(0, len(body), FRAME):
            part = body[start:start + FRAME]
            while len(part) > min(self.connection_window, self._window(stream)):
                self.changed.clear()
                await self.changed.wait()
            self.connection_window -= len(part)
            self.windows[stream] -= len(part)
            await self.peer.send(frame(DATA, stream, part, end if start + FRAME >= len(body) else 0))

    def _window(self, stream):
        return self.windows.setdefault(stream, self.initial_window)

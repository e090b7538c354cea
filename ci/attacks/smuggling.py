"""Requests that two readers could take apart differently. One that is no good must not become an exchange."""

import asyncio

import http1
import http2
from attack import attack
from http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2, frame

BODY = http1.valid()
LENGTH = f"content-length: {len(BODY)}\r\n".encode()
CHUNKED = b"transfer-encoding: chunked\r\n"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)

# What comes next on the connection: answered or not, it must not be part of anything else.
NEXT = http1.request("GET", "/next")

# The statuses of the exchanges that may come of it. What is next may be lost when the connection is closed.
# A body that turns out to be broken is on record with its refusal, and the connection is closed.
REFUSED = [[]]
BROKEN = [[], [400]]
# The RFC lets a server answer it if it closes the connection then.
LAST = [[], [200]]
ONE = [[200], [200, 404]]
EITHER = REFUSED + ONE


def fields(*more, body=BODY):
    """A request with these header lines and a body, as bytes."""
    return http1.head() + b"".join(more) + b"\r\n" + body


def line(first, *more):
    """A request with this first line, a host and a length."""
    return first + http1.head().partition(b"\r\n")[2] + b"".join(more or (LENGTH,)) + b"\r\n" + BODY


def encoded(value):
    return fields(b"transfer-encoding: " + value + b"\r\n", body=CHUNKS)


def length(value):
    return fields(b"content-length: " + value + b"\r\n")


def chunk(first):
    """A chunked body whose first chunk has this in place of its size's line."""
    return fields(CHUNKED, body=first + BODY + b"\r\n0\r\n\r\n")


HEAD = http1.head()
SIZE = b"%x" % len(BODY)
DIGITS = str(len(BODY)).encode()

ROWS = {
    "a length": (fields(LENGTH), ONE),
    "chunks": (fields(CHUNKED, body=CHUNKS), ONE),
    "length and chunks": (fields(LENGTH, CHUNKED, body=CHUNKS), LAST),
    "chunks and length": (fields(CHUNKED, LENGTH, body=CHUNKS), LAST),
    "two lengths that differ": (fields(LENGTH, b"content-length: 0\r\n"), REFUSED),
    "two lengths that are the same": (fields(LENGTH, LENGTH), EITHER),
    "a list of lengths that are the same": (length(DIGITS + b", " + DIGITS), EITHER),
    "a list of lengths that differ": (length(DIGITS + b", 0"), REFUSED),
    "a length with a sign": (length(b"+" + DIGITS), REFUSED),
    "a negative length": (length(b"-1"), REFUSED),
    "a hexadecimal length": (length(b"0x10"), REFUSED),
    "an empty length": (length(b""), REFUSED),
    "a length with a blank in it": (length(b"1 0"), REFUSED),
    "a length beyond 64 bits": (length(b"18446744073709551617"), REFUSED),
    "gzip, chunked": (encoded(b"gzip, chunked"), REFUSED),
    "chunked, gzip": (encoded(b"chunked, gzip"), REFUSED),
    "gzip": (encoded(b"gzip"), REFUSED),
    "identity": (encoded(b"identity"), REFUSED),
    "chunked, chunked": (encoded(b"chunked, chunked"), REFUSED),
    "two headers that say chunked": (fields(CHUNKED, CHUNKED, body=CHUNKS), REFUSED),
    "chunked and identity as two headers": (
        fields(CHUNKED, b"transfer-encoding: identity\r\n", body=CHUNKS), REFUSED),
    "gzip and chunked as two headers": (fields(b"transfer-encoding: gzip\r\n", CHUNKED, body=CHUNKS), REFUSED),
    "xchunked": (encoded(b"xchunked"), REFUSED),
    "chunked with a parameter": (encoded(b"chunked;q=1"), REFUSED),
    "quoted chunked": (encoded(b'"chunked"'), REFUSED),
    "a vertical tab before chunked": (encoded(b"\x0bchunked"), REFUSED),
    "CHUNKED": (encoded(b"CHUNKED"), ONE),
    "blanks around chunked": (encoded(b" \tchunked\t "), ONE),
    "an empty item before chunked": (encoded(b", chunked"), EITHER),
    "a blank before the colon": (fields(b"transfer-encoding : chunked\r\n", body=CHUNKS), REFUSED),
    "a blank before the colon of a length": (fields(b"content-length : %s\r\n" % DIGITS), REFUSED),
    "a header that begins with a blank": (fields(b" transfer-encoding: chunked\r\n", body=CHUNKS), REFUSED),
    "a folded header": (fields(LENGTH, b"x-a: b\r\n c\r\n"), REFUSED),
    "a folded transfer-encoding": (fields(b"transfer-encoding:\r\n chunked\r\n", body=CHUNKS), REFUSED),
    "a header without a colon": (fields(LENGTH, b"x-a\r\n"), REFUSED),
    "a header without a name": (fields(LENGTH, b": a\r\n"), REFUSED),
    "a name with a blank in it": (fields(LENGTH, b"x a: b\r\n"), REFUSED),
    "a NUL in a value": (fields(LENGTH, b"x-a: b\0c\r\n"), REFUSED),
    "a bare CR in a value": (fields(LENGTH, b"x-a: b\rc\r\n"), REFUSED),
    "a bare LF after a header": (fields(LENGTH, b"x-a: b\n"), EITHER),
    "a bare LF that hides a header": (fields(LENGTH, b"x-a: b\ntransfer-encoding: chunked\r\n"), BROKEN),
    "bare LF everywhere": (fields(LENGTH).replace(b"\r\n", b"\n"), EITHER),
    "a bare LF after the first line": (fields(LENGTH).replace(b"\r\n", b"\n", 1), EITHER),
    "chunked under HTTP/1.0": (fields(CHUNKED, body=CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0", 1), REFUSED),
    "two hosts": (fields(LENGTH, b"host: other\r\n"), REFUSED),
    "two hosts that are the same": (fields(LENGTH, b"host: localhost\r\n"), REFUSED),
    "no host": (http1.request(host=None, body=BODY), REFUSED),
    "an empty host": (http1.request(host="", body=BODY), EITHER),
    "a host with a path": (http1.request(host="localhost/x", body=BODY), REFUSED),
    "a host with a user": (http1.request(host="a@localhost", body=BODY), REFUSED),
    "another host in the target": (line(b"POST http://other%s HTTP/1.1\r\n" % http1.AGENTS.encode()), EITHER),
    "HTTP/1.2": (line(b"POST %s HTTP/1.2\r\n" % http1.AGENTS.encode()), EITHER),
    "HTTP/2.0 without its preface": (line(b"POST %s HTTP/2.0\r\n" % http1.AGENTS.encode()), REFUSED),
    "http/1.1 in small letters": (line(b"POST %s http/1.1\r\n" % http1.AGENTS.encode()), REFUSED),
    "no version": (line(b"POST %s\r\n" % http1.AGENTS.encode()), REFUSED),
    "two blanks in the first line": (line(b"POST  %s HTTP/1.1\r\n" % http1.AGENTS.encode()), REFUSED),
    "a tab in the first line": (line(b"POST\t%s HTTP/1.1\r\n" % http1.AGENTS.encode()), REFUSED),
    "a blank before the first line": (b" " + fields(LENGTH), REFUSED),
    "an empty line before the first": (b"\r\n" + fields(LENGTH), ONE),
    "a blank in the target": (line(b"POST /a b HTTP/1.1\r\n"), REFUSED),
    "a control character in the target": (line(b"POST /a\x01b HTTP/1.1\r\n"), REFUSED),
    "a fragment in the target": (line(b"POST %s#x HTTP/1.1\r\n" % http1.AGENTS.encode()), EITHER),
    "a target without a slash": (line(b"POST agents HTTP/1.1\r\n"), REFUSED),
    "a chunk size with a sign": (chunk(b"+" + SIZE + b"\r\n"), BROKEN),
    "a chunk size with 0x": (chunk(b"0x" + SIZE + b"\r\n"), BROKEN),
    "a chunk size beyond 64 bits": (chunk(b"1" + 16 * b"0" + SIZE + b"\r\n"), BROKEN),
    "no chunk size": (chunk(b"\r\n"), BROKEN),
    "a blank before a chunk size": (chunk(b" " + SIZE + b"\r\n"), BROKEN),
    "a blank after a chunk size": (chunk(SIZE + b" \r\n"), EITHER),
    "a chunk with an extension": (chunk(SIZE + b';a="b"\r\n'), ONE),
    "a bare LF after a chunk size": (chunk(SIZE + b"\n"), BROKEN),
    "a bare LF in a chunk's extension": (chunk(SIZE + b";a\nb\r\n"), BROKEN),
    "a bare CR after a chunk size": (chunk(SIZE + b"\r"), BROKEN),
    "a chunk that is longer than its size": (fields(CHUNKED, body=b"2\r\n{}x\r\n0\r\n\r\n"), BROKEN),
    "no line end after a chunk": (fields(CHUNKED, body=SIZE + b"\r\n" + BODY + b"0\r\n\r\n"), BROKEN),
    "a trailer that is a length": (fields(CHUNKED, body=CHUNKS[:-2] + b"content-length: 100\r\n\r\n"), EITHER),
    "a trailer that is no header": (fields(CHUNKED, body=CHUNKS[:-2] + b"a b c\r\n\r\n"), BROKEN),
    "an upgrade to h2c": (fields(
        LENGTH, b"connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"), ONE),
    "a length named as a hop's header": (fields(LENGTH, b"connection: content-length\r\n"), EITHER),
}

STREAMS = {
    "a request": (http2.block(), ONE),
    "transfer-encoding": (http2.block(transfer_encoding="chunked"), REFUSED),
    "connection": (http2.block(connection="close"), REFUSED),
    "te that is not trailers": (http2.block(te="gzip"), REFUSED),
    "a length that is too short": (http2.block(content_length="1"), REFUSED),
    "a length that is too long": (http2.block(content_length="100000"), REFUSED),
    "two lengths that differ": (
        http2.block(content_length=str(len(BODY))) + http2.field("content-length", "0"), REFUSED),
    "a capital letter in a name": (http2.block() + http2.field("X-A", "b"), REFUSED),
    "a line end in a value": (http2.block() + http2.field("x-a", "b\r\ntransfer-encoding: chunked"), REFUSED),
    "a line end in a name": (http2.block() + http2.field("x-a: b\r\nx-c", "d"), REFUSED),
    "a NUL in a value": (http2.block() + http2.field("x-a", "b\0c"), REFUSED),
    "a colon in a name": (http2.block() + http2.field("x:a", "b"), REFUSED),
    "an empty name": (http2.block() + http2.field("", "b"), REFUSED),
    "two paths": (http2.field(":path", "/other") + http2.block(), REFUSED),
    "no path": (http2.block(path=None), REFUSED),
    "an empty path": (http2.block(path=""), REFUSED),
    "a path without a slash": (http2.block(path="agents"), REFUSED),
    "a blank in the path": (http2.block(path="/a b"), REFUSED),
    "a line end in the path": (http2.block(path="/a HTTP/1.1\r\nx-a: b"), REFUSED),
    "a line end in the method": (http2.block(method="GET / HTTP/1.1\r\nx-a:b"), REFUSED),
    "no method": (http2.block(method=None), REFUSED),
    "a pseudo-header after a header": (http2.block(method=None) + http2.field(":method", "POST"), REFUSED),
    "an unknown pseudo-header": (http2.field(":standin", "x") + http2.block(), REFUSED),
    "a reply's pseudo-header": (http2.field(":status", "200") + http2.block(), REFUSED),
    "a host that is not the authority": (http2.block(host="other"), REFUSED),
}


@attack(once=True)
async def smuggling(target):
    """Sends each request of a table that two readers could take apart differently, and looks what becomes of it."""
    async with asyncio.TaskGroup() as group:
        for name, (data, allowed) in ROWS.items():
            group.create_task(_try(target, f"HTTP/1, {name}", _send(target, data), allowed))
        for name, (block, allowed) in STREAMS.items():
            group.create_task(_try(target, f"HTTP/2, {name}", _send_stream(target, block), allowed))


async def _try(target, name, sending, allowed):
    exchanges, answer = await sending
    target.remark(f"{name}: {answer}")
    if exchanges not in allowed:
        target.fail(f"{name}: expected exchanges {' or '.join(map(str, allowed))}, but found {answer}")


async def _send(target, data):
    """The statuses of the exchanges, and what was answered in words."""
    async with await target.connect() as peer:
        await peer.send(data + NEXT)
        answered, is_closed = await peer.everything(1)
    replies, rest = http1.replies(answered)
    exchanges = [status for status, headers in replies if "x-standin-exchange" in headers]
    words = [f"{status}{'' if 'x-standin-exchange' in headers else ' refused'}" for status, headers in replies]
    if rest:
        words.append("bytes that are no reply")
    return exchanges, ", ".join([*words, "closed" if is_closed else "open"])


async def _send_stream(target, block):
    """The same over HTTP/2."""
    exchanges, words = [], []
    async with await target.connect() as peer:
        http = await Http2.begin(peer)
        await peer.send(frame(HEADERS, 1, block, END_HEADERS) + frame(DATA, 1, BODY, END_STREAM))
        try:
            async with asyncio.timeout(1):
                async for kind, _, _, payload in http.frames():
                    if kind == HEADERS:
                        status = http2.status(payload)
                        words.append(str(status or "another status"))
                        # The stand-in's own exchanges never have this one.
                        exchanges += [status] if status != 400 else []
                    elif kind in (http2.RST_STREAM, http2.GOAWAY):
                        words.append("reset" if kind == http2.RST_STREAM else "closed")
        except (TimeoutError, OSError):
            pass
    return exchanges, ", ".join(words) or "nothing"

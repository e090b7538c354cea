"""HTTP/1 as bytes: requests that say what they are told to, and replies read with suspicion."""

import functools
import pathlib
import re
import time

import standin

AGENTS = "/agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents"


@functools.cache
def token():
    return standin.token()


def head(method="POST", path=AGENTS, **headers):
    """A head without its last empty line; `None` leaves a header out, underscores are hyphens."""
    fields = {"host": "localhost", "auth": token(), "accountid": standin.ACCOUNT}
    fields["content-type"] = "application/json"
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"{name}: {value}\r\n" for name, value in fields.items() if value is not None]
    return f"{method} {path} HTTP/1.1\r\n{''.join(lines)}".encode()


def request(method="POST", path=AGENTS, body=b"", **headers):
    """A whole request with a body of declared length."""
    return head(method, path, content_length=len(body), **headers) + b"\r\n" + body


def get(path, **headers):
    return head("GET", path, content_type=None, **headers) + b"\r\n"


@functools.cache
def valid(length=0):
    """A body that the API takes, made longer by blanks."""
    sample = pathlib.Path("fixtures/createAgent/request.json").read_bytes()
    return sample.ljust(length)


def split(data):
    """Status, headers, body and rest of the first reply in `data`; none while it is not whole."""
    top, found, rest = data.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = top.decode("latin-1").split("\r\n")
    status = int(first.split()[1])
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status == 100:
        return split(rest)
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while True:
            size, found, rest = rest.partition(b"\r\n")
            if not found or len(rest) < int(size, 16) + 2:
                return None
            size = int(size, 16)
            body, rest = body + rest[:size], rest[size + 2:]
            if size == 0:
                return status, headers, body, rest
    length = int(headers.get("content-length", "0"))
    return None if len(rest) < length else (status, headers, rest[:length], rest[length:])


def replies(data):
    """The replies in `data`, each as status and headers, and whether something is left that is none."""
    found = []
    while data:
        try:
            reply = split(data)
        except (ValueError, IndexError):
            reply = None
        if reply is None:
            return found, True
        found.append(reply[:2])
        data = reply[3]
    return found, False


def ask(server, data, timeout=20):
    """Status, headers and body of the reply to a request on a connection of its own."""
    with server.connect(timeout) as connection:
        connection.sendall(data)
        return read(connection)


def read(connection):
    """The next reply on a connection that has no other under way."""
    data = bytearray()
    while True:
        more = connection.recv(1024 * 1024)
        if not more:
            raise EOFError("the connection ended before the reply did")
        data += more
        # A large chunked reply is not looked at again for each of its pieces.
        if len(data) < 65536 or re.search(rb"\r\n0\r\n\r\n$", data[-7:]) or b"chunked" not in data[:2048]:
            reply = split(bytes(data))
            if reply:
                return reply[:3]


def fill(server, count, body, path=AGENTS):
    """Has the journal record `count` requests with this body."""
    data = request(path=path, body=body)
    with server.connect(60) as connection:
        for _ in range(count):
            connection.sendall(data)
            read(connection)


def timed(server, data, timeout):
    """Seconds until a fresh connection has its reply, and the status, or what went wrong."""
    start = time.monotonic()
    try:
        status = ask(server, data, timeout)[0]
    except (OSError, EOFError) as error:
        status = type(error).__name__
    return time.monotonic() - start, status

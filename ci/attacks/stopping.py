"""Stops: by each signal, twice, with a full journal, and by the one that cannot be caught."""

import asyncio
import contextlib
import json
import pathlib
import signal
import tempfile
import threading

import http1
from attack import attack
from server import Server

STOP = 1.0
# How fast a second Ctrl-C has to be.
AT_ONCE = 0.3


@attack(once=True)
async def signals(target):
    """Ends a server that is under load by each signal, and looks for files that are half there."""
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_signals, target, pathlib.Path(folder))


def _signals(target, folder):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        journal = folder / f"{number.name}.ndjson"
        with Server("--journal-file", str(journal)) as server, _load(server):
            stop, code = server.stop(number)
        _judge(target, number.name, stop, code, journal, STOP)

    # What it was about to write may be cut, and the next one goes on after it.
    journal = folder / "killed.ndjson"
    with Server("--journal-file", str(journal)) as server, _load(server):
        server.stop(signal.SIGKILL)
    with Server("--journal-file", str(journal)) as server:
        server.stop()
    _whole(target, "SIGKILL and a later stop", journal)


@attack(once=True)
async def full_journal(target):
    """Ends a server that has a journal file, a full journal of 1 GiB and clients that hang."""
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_full_journal, target, pathlib.Path(folder))


def _full_journal(target, folder):
    # A file that is not full itself, so that it does not move.
    flags = ("--journal-bytes", "1GiB", "--journal-file-bytes", "16GiB")
    for name in ("SIGTERM", "SIGINT twice"):
        journal = folder / f"{name}.ndjson"
        with Server(*flags, "--journal-file", str(journal)) as server, _load(server):
            http1.fill(server, 1100, http1.valid(1000 * 1024))
            if name == "SIGTERM":
                stop, code = server.stop(patience=60)
                _judge(target, name, stop, code, journal, STOP)
                continue
            server.process.send_signal(signal.SIGINT)
            # The second is another one only when the first has been taken: nobody listens then.
            with contextlib.suppress(ConnectionError):
                while True:
                    server.connect(5).close()
            stop, code = server.stop(signal.SIGINT, patience=60)
        _judge(target, name, stop, code, journal, AT_ONCE)


@contextlib.contextmanager
def _load(server):
    """Clients that send all the time, and some that hang."""
    is_over = threading.Event()
    threads = [threading.Thread(target=_send, args=(server, is_over)) for _ in range(4)]
    for thread in threads:
        thread.start()
    with contextlib.ExitStack() as hung:
        body = http1.head(content_length=1000) + b"\r\n{"
        for data in 10 * (b"", http1.head(), body, http1.get("/__standin/requests/stream")):
            hung.enter_context(server.connect(5)).sendall(data)
        http1.fill(server, 100, http1.valid())
        try:
            yield
        finally:
            is_over.set()
    for thread in threads:
        thread.join()


def _send(server, is_over):
    while not is_over.is_set():
        with contextlib.suppress(OSError, EOFError):
            http1.fill(server, 1000, http1.valid())
        is_over.wait(0.01)


def _judge(target, what, stop, code, journal, bound):
    target.remark(f"{what}: {round(1000 * stop)} ms, exit code {code}")
    if stop > bound:
        target.fail_time(f"{what}: expected the end within {bound} s, but it took {stop:.2f} s")
    if code is None or code < 0:
        target.fail(f"{what}: expected an exit code, but found {code}")
    _whole(target, what, journal)


def _whole(target, what, journal):
    """The file is whole or not there, and nothing lies beside it."""
    beside = [path.name for path in journal.parent.iterdir() if path.name.startswith(f"{journal.name}.")]
    if beside:
        target.fail(f"{what}: expected nothing beside the journal file, but found {', '.join(beside)}")
    if journal.exists():
        for number, line in enumerate(journal.read_bytes().splitlines(), 1):
            try:
                json.loads(line)
            except ValueError:
                target.fail(f"{what}: expected whole lines, but found line {number} cut")
                return

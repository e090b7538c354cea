"""What an attack is: one rude client, and how many of it there are at a time."""

import asyncio
import collections
import dataclasses
import inspect
import multiprocessing
import os
import socket
import struct
import typing

import http1

ATTACKS = {}


@dataclasses.dataclass(frozen=True)
class Attack:
    """A rude client, and what the server has to bear with.

    Without `once` a client begins anew when it has done what it does. The legitimate client's worst answer may take
    `worst` seconds. `uploads` says that what bodies may take counts as allowed memory, `journal` how many MiB the
    journal has. `prepare` is called with the server before the clients come.
    """

    name: str
    client: typing.Callable
    clients: int = 1
    once: bool = False
    worst: float = 0.2
    uploads: bool = False
    journal: int = 64
    flags: tuple = ()
    descriptors: int | None = None
    prepare: typing.Callable | None = None

    def patience(self, seconds):
        """How long the clients stay at most. One that checks something once has an end of its own."""
        return 600 if self.once else seconds

    @property
    def about(self):
        return inspect.getdoc(self.client)


def attack(**options):
    """Makes a client an attack by its name."""

    def register(client):
        name = client.__name__.replace("_", "-")
        ATTACKS[name] = Attack(name, client, **options)
        return client

    return register


class Target:
    """What a client attacks, and where it says what it did, saw and holds against the server."""

    def __init__(self, server, seconds, times=True):
        self.server = server
        self.seconds = seconds
        self.times = times
        self.tally = collections.Counter()
        self.remarks = []
        self.problems = []

    async def connect(self, buffer=None):
        """A connection; with `buffer` its side takes hardly more bytes than that unread."""
        connection = socket.socket()
        connection.setblocking(False)
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        peer = Peer(connection)
        try:
            await asyncio.get_running_loop().sock_connect(connection, self.server.address)
        except BaseException:
            connection.close()
            raise
        self.tally["connections"] += 1
        return peer

    def fail(self, problem):
        self.problems.append(problem)

    def patience(self, seconds):
        """How long to wait for what a machine that is not busy does within `seconds`."""
        return seconds if self.times else 10 * seconds

    def fail_time(self, problem):
        """What took too long; on a machine that is busy otherwise it says nothing."""
        if self.times:
            self.fail(problem)
        else:
            self.remark(problem)

    def remark(self, remark):
        self.remarks.append(remark)


class Peer:
    """One connection, closed at the end of its context."""

    def __init__(self, connection):
        self.connection = connection
        self.loop = asyncio.get_running_loop()
        self.unread = b""

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        self.connection.close()

    async def send(self, data):
        # What can be sent at once is sent without a pause, and nobody else's turn, nor the end, would come.
        await asyncio.sleep(0)
        await self.loop.sock_sendall(self.connection, data)

    async def receive(self, most=65536):
        """What has come; nothing once the server has closed."""
        return await self.loop.sock_recv(self.connection, most)

    async def reply(self):
        """Status, headers and body of the next reply."""
        while (reply := http1.split(self.unread)) is None:
            more = await self.receive()
            if not more:
                raise EOFError("the connection ended before the reply did")
            self.unread += more
        *reply, self.unread = reply
        return reply

    async def everything(self, patience):
        """What comes until the server closes or is silent for `patience` seconds, and whether it has closed."""
        data = b""
        try:
            while True:
                async with asyncio.timeout(patience):
                    more = await self.receive()
                if not more:
                    return data, True
                data += more
        except TimeoutError:
            return data, False
        except OSError:
            return data, True

    def half_close(self):
        self.connection.shutdown(socket.SHUT_WR)

    def reset(self):
        """Closes with a reset, as a client does that is killed with bytes unread."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


class Crowd:
    """All clients of an attack, in a process of their own that ends with them."""

    def __init__(self, attack, server, seconds, times=True):
        fork = multiprocessing.get_context("fork")
        self.pipe, theirs = fork.Pipe()
        self.process = fork.Process(target=_besiege, args=(attack, server, seconds, times, theirs), daemon=True)
        self.process.start()
        theirs.close()

    def is_there(self):
        return self.process.is_alive() and not self.pipe.poll()

    def disperse(self):
        """Ends the clients where they are, and returns what they report; that is nothing when they are cut short."""
        report = ({}, [], [])
        try:
            if self.pipe.poll():
                report = self.pipe.recv()
        except EOFError:
            report = ({}, [], ["the clients fell over"])
        self.process.kill()
        self.process.join()
        return report


def _besiege(attack, server, seconds, times, pipe):
    # The processor goes to the server and the legitimate client first: it is the server that is looked at.
    os.nice(5)
    target = Target(server, seconds, times)
    asyncio.run(_gather(attack, target, seconds))
    pipe.send((dict(target.tally), target.remarks, target.problems))


async def _gather(attack, target, seconds):
    try:
        async with asyncio.timeout(attack.patience(seconds)), asyncio.TaskGroup() as group:
            for _ in range(attack.clients):
                group.create_task(_persist(attack, target))
    except TimeoutError:
        if attack.once:
            target.fail("did not come to an end")


async def _persist(attack, target):
    while True:
        try:
            await attack.client(target)
            target.tally["rounds"] += 1
        except* (OSError, EOFError) as group:
            target.tally[f"ended by {_first(group)}"] += 1
            # Where nobody answers, nobody is called in a busy loop.
            await asyncio.sleep(0.05)
        if attack.once:
            return


def _first(error):
    """What is the matter, without the groups around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return type(error).__name__

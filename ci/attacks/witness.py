"""The legitimate client beside each attack, in a process of its own so that the attack takes no time from it."""

import multiprocessing
import time

import http1

PERIOD = 0.02

# Every fifth body is so long that it is charged to the budget for bodies.
LONG = 32 * 1024


class Witness:
    """Sends one valid request after the other, each on a new connection, until it is asked what it saw."""

    def __init__(self, server, timeout):
        fork = multiprocessing.get_context("fork")
        self.pipe, theirs = fork.Pipe()
        self.process = fork.Process(target=_watch, args=(server, timeout, theirs), daemon=True)
        self.process.start()

    def stop(self):
        """What it saw: answers, the worst of them in seconds, those that were none, and how late its own timer was."""
        self.pipe.send("stop")
        seen = self.pipe.recv()
        self.process.join()
        return seen


def _watch(server, timeout, pipe):
    short = http1.request(body=http1.valid(), connection="close")
    long = http1.request(body=http1.valid(LONG), connection="close")
    seen = {"answers": 0, "worst": 0.0, "worst_of": "", "failures": {}, "lateness": 0.0}
    while not pipe.poll():
        is_long = seen["answers"] % 5 == 4
        took, status = http1.timed(server, long if is_long else short, timeout)
        seen["answers"] += 1
        if took > seen["worst"]:
            seen["worst"], seen["worst_of"] = took, "long body" if is_long else "short body"
        if status != 200:
            seen["failures"][str(status)] = seen["failures"].get(str(status), 0) + 1
        # A machine that lets this process wait makes the server look slow: how late a timer fires says so.
        start = time.monotonic()
        time.sleep(PERIOD)
        seen["lateness"] = max(seen["lateness"], time.monotonic() - start - PERIOD)
    pipe.send(seen)

"""The server under attack: a fresh process, and what the system says about it."""

import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time

import standin

MIB = 1024 * 1024

# What the program says when one of its own threads or connections fell over.
FAULTS = "panicked at|fault of this program"


def _begin(descriptors):
    """What the server has from whoever starts it, whatever we were started with ourselves."""
    # A hangup that is ignored, as `nohup` has it, ends nothing.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if descriptors:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors,) * 2)


class Server:
    """A server on a free port of the loopback interface; leaving the context ends it by its process id."""

    def __init__(self, *flags, descriptors=None, log=None):
        """With `descriptors` it may have no more of them; what it logs goes to the file `log`."""
        self.sieve = None
        if log is None:
            # Nobody wants the lines of a flood, only those that speak of a fault. It also shows a reader that is slow.
            self.sieve = subprocess.Popen(
                ["grep", "--line-buffered", "-aE", FAULTS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        self.process = subprocess.Popen(
            [standin.BINARY, "serve", "--listen", "127.0.0.1:0", "--log", "json", *flags],
            stdout=subprocess.PIPE,
            stderr=self.sieve.stdin if self.sieve else log,
            preexec_fn=lambda: _begin(descriptors),
        )
        if self.sieve:
            self.sieve.stdin.close()
        watchdog = threading.Timer(20, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if not line:
            standin.fail("the server did not become ready")
        self.url = json.loads(line)["url"]
        self.address = ("127.0.0.1", int(self.url.rpartition(":")[2]))
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def is_alive(self):
        return self.process.poll() is None

    def status(self):
        """Memory now and at its peak, in bytes, and threads; zeros once the process has ended."""
        try:
            text = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            text = ""
        fields = dict(line.split(":", 1) for line in text.splitlines())
        number = lambda name: int(fields.get(name, "0").split()[0])
        return {
            "memory": number("VmRSS") * 1024,
            "peak": number("VmHWM") * 1024,
            "threads": number("Threads"),
        }

    def descriptors(self):
        try:
            return len(os.listdir(f"/proc/{self.pid}/fd"))
        except (FileNotFoundError, ProcessLookupError):
            return 0

    def processor_time(self):
        """Seconds of processor time so far."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, with_signal=signal.SIGTERM, patience=10):
        """Seconds from the signal to the end, and the exit code; the code is none when patience ran out."""
        start = time.monotonic()
        self.process.send_signal(with_signal)
        try:
            code = self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            code = None
        return time.monotonic() - start, code

    def faults(self):
        """Lines that speak of a fault of the program itself; complete once the process has ended."""
        if self.sieve is None:
            return []
        lines = self.sieve.stdout.read().decode(errors="replace").splitlines()
        self.sieve.wait()
        return lines

    def connect(self, timeout):
        return socket.create_connection(self.address, timeout)

"""One attack, measured: what the server held, what the legitimate client saw, and whether that is within bounds."""

import os
import signal
import time

import attack as attacks
import http1
from server import MIB, Server
from witness import Witness

# What the process may take beyond its idle memory, the journal's bound and the bodies under way.
SLACK = 128 * MIB

# `Limits.bodies`, by default.
BODIES = 256 * MIB

# An attack ends here, so that a server without a bound does not take the machine with it.
GUARD = 2048 * MIB

# How long the attack is under way when the server is told to stop.
BURST = 2

# How much later than they should the clients may be gone.
GRACE = 5

STOP = 1.0
# How long something may take whose time is not judged.
PATIENCE = 60
PROOF = 0.2


def measure(attack, seconds, times):
    """The figures, and the problems, of an attack; those of time only when times are judged."""
    flags = ("--journal-bytes", f"{attack.journal}MiB", *attack.flags)
    with Server(*flags, descriptors=attack.descriptors) as server:
        http1.timed(server, http1.request(body=http1.valid()), 20)
        idle = server.status()["memory"]
        if attack.prepare:
            attack.prepare(server)
        witness = Witness(server, timeout=max(5, seconds / 2) if times else PATIENCE)
        crowd = attacks.Crowd(attack, server, seconds, times)
        held = _observe(server, crowd, attack.patience(seconds) + GRACE)
        tally, remarks, problems = crowd.disperse()
        seen = witness.stop()
        proof, status = http1.timed(server, http1.request(body=http1.valid()), PATIENCE)
        after = _settled(server, idle + attack.journal * MIB, seconds)
        stop, code = _stop_under(attack, server)
        faults = server.faults()

    allowed = idle + attack.journal * MIB + SLACK + (BODIES if attack.uploads else 0)
    problems += [f"a fault of the program: {line}" for line in faults[:3]]
    if held["peak"] > allowed:
        problems.append(f"{_mib(held['peak'])} MiB of memory, where {_mib(allowed)} are allowed")
    if seen["failures"]:
        problems.append(f"legitimate requests got {seen['failures']}")
    if times and seen["worst"] > attack.worst:
        problems.append(f"a legitimate answer took {_ms(seen['worst'])} ms ({seen['worst_of']})")
    if status != 200 or times and proof > PROOF:
        problems.append(f"afterwards a fresh request got {status} in {_ms(proof)} ms")
    if seconds >= 60 and after > allowed - SLACK:
        problems.append(f"a minute later it still has {_mib(after)} MiB of memory")
    if times and stop > STOP or code != 0:
        problems.append(f"SIGTERM under attack took {_ms(stop)} ms, exit code {code}")
    return {
        "name": attack.name,
        "problems": problems,
        "answers": seen["answers"],
        "worst_ms": _ms(seen["worst"]),
        "lateness_ms": _ms(seen["lateness"]),
        "proof_ms": _ms(proof),
        "idle_mib": _mib(idle),
        "peak_mib": _mib(held["peak"]),
        "after_mib": _mib(after),
        "allowed_mib": _mib(allowed),
        "descriptors": held["descriptors"],
        "threads": held["threads"],
        "stop_ms": _ms(stop),
        "tally": tally,
        "remarks": remarks,
        "load": round(os.getloadavg()[0], 1),
    }


def _observe(server, crowd, patience):
    """The most that the server held while the clients were there."""
    most = {"memory": 0, "peak": 0, "threads": 0, "descriptors": 0}
    deadline = time.monotonic() + patience
    while crowd.is_there() and server.is_alive() and time.monotonic() < deadline:
        now = server.status() | {"descriptors": server.descriptors()}
        most = {name: max(value, now[name]) for name, value in most.items()}
        if now["memory"] > GUARD:
            break
        time.sleep(0.05)
    return most


def _settled(server, expected, seconds):
    """The memory that stays. It may take a while to go back to the system: up to a minute when there is time."""
    deadline = time.monotonic() + (60 if seconds >= 60 else 1)
    while (memory := server.status()["memory"]) > expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return memory


def _stop_under(attack, server):
    """How long SIGTERM takes while the clients are there, unless they come once only."""
    if attack.once or not server.is_alive():
        return server.stop(signal.SIGTERM)
    crowd = attacks.Crowd(attack, server, 60)
    deadline = time.monotonic() + BURST
    while time.monotonic() < deadline and server.status()["memory"] < GUARD:
        time.sleep(0.05)
    stopped = server.stop(signal.SIGTERM, PATIENCE)
    crowd.disperse()
    return stopped


def _mib(size):
    return round(size / MIB)


def _ms(seconds):
    return round(seconds * 1000)

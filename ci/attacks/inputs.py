"""Files that have no end, or no beginning, and other things that are not what they are taken for."""

import asyncio
import json
import os
import pathlib
import subprocess
import tempfile
import time

import http1
import standin
from attack import attack
from server import MIB, Server

# Reading up to the limit of 16 MiB may take some copies of it.
MEMORY = 128 * MIB
PATIENCE = 30


@attack(once=True)
async def endless_inputs(target):
    """Gives /dev/zero, pipes that nobody writes to and folders in place of files, which are refused at once."""
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_read_all, target, pathlib.Path(folder))


def _read_all(target, folder):
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    for source in (pathlib.Path("/dev/zero"), pipe, folder):
        contract = _contract_with_sample(folder, source)
        for arguments in (
            ("serve", "--listen", "127.0.0.1:0", "--contract", source),
            ("serve", "--listen", "127.0.0.1:0", "--contract", contract),
            ("serve", "--listen", "127.0.0.1:0", "--journal-file", source),
            ("contract", "show", "--contract", source),
            ("check", "createAgent", source),
            ("check", "createAgent", "--contract", source, "fixtures/createAgent/request.json"),
            ("journal", source),
        ):
            _read(target, arguments)
    _read(target, ("check", "createAgent", "-"), stdin="/dev/zero")


def _read(target, arguments, stdin=os.devnull):
    """Runs a command that has to end with an error, soon and without much memory."""
    with open(stdin, "rb") as source:
        process = subprocess.Popen(
            [standin.BINARY, *map(str, arguments)], stdin=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
    start, most = time.monotonic(), 0
    while (took := time.monotonic() - start) < PATIENCE and process.poll() is None and most < 1024 * MIB:
        try:
            fields = pathlib.Path(f"/proc/{process.pid}/statm").read_text().split()
            most = max(most, int(fields[1]) * os.sysconf("SC_PAGE_SIZE"))
        except (FileNotFoundError, ProcessLookupError, IndexError):
            pass
        time.sleep(0.005)
    code = process.poll()
    if code is None:
        process.kill()
    said = process.communicate()[1].decode(errors="replace").strip()
    what = " ".join(map(str, arguments)) + (f" < {stdin}" if stdin != os.devnull else "")
    found = f"exit code {code} after {took:.1f} s and {most // MIB} MiB: {said.splitlines()[-1] if said else 'nothing'}"
    target.remark(f"{what}: {found}")
    if code not in (1, 2, 3) or not said or most > MEMORY:
        target.fail(f"{what}: expected an error at once, but found {found}")


def _contract_with_sample(folder, source):
    """The built-in contract's document with one sample in another file."""
    document = standin.document()
    for _, _, operation in standin.operations(document):
        samples = operation["requestBody"]["content"]["application/json"].get("examples", {})
        for sample in samples.values():
            sample.pop("value", None)
            sample["externalValue"] = str(source)
            break
        break
    file = folder / f"contract-{source.name}.json"
    file.write_text(json.dumps(document))
    return file


@attack(once=True)
async def odd_files(target):
    """Writes the journal through a link to nowhere, for two servers at a time, or when some of it is lost."""
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_oddities, target, pathlib.Path(folder))


def _oddities(target, folder):
    link, away = folder / "link", folder / "away"
    link.symlink_to(away)
    with Server("--journal-file", str(link)) as server:
        http1.fill(server, 3, http1.valid())
        server.stop()
    if not (link.is_symlink() and away.is_file()):
        target.fail(f"a link to nowhere as journal file: expected its target written, but found {_listing(folder)}")

    journal = folder / "journal"
    with Server("--journal-file", str(journal)):
        _read(target, ("serve", "--listen", "127.0.0.1:0", "--journal-file", journal))
    for address in ("127.0.0.1:0\n", "127.0.0.1\n:0"):
        _read(target, ("serve", "--listen", address))

    with (folder / "log").open("w+b") as log:
        with Server("--journal-file", str(journal), "--journal-entries", "10", log=log) as server:
            http1.fill(server, 30, http1.valid())
            before = log.seek(0, os.SEEK_END)
            server.stop()
        log.seek(before)
        said = log.read().decode(errors="replace")
    if "20" not in said:
        target.fail(f"a journal file that lacks 20 exchanges: expected a line that says so, but found {said!r}")


def _listing(folder):
    return sorted(path.name for path in folder.iterdir())

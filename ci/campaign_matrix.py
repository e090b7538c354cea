"""Which bugs of the family does `standin fuzz` find, which does Schemathesis, and whom do they accuse wrongly?

Writes the table into docs/checks.md. `rows` is what the gate asks for three bugs.
"""

import base64
import contextlib
import importlib.metadata
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import standin

FAMILY = os.environ.get("FAMILY", str(pathlib.Path(standin.BINARY).parent / "examples" / "broken"))
OUTSIDE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "outside" / "server.py"
PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "checks.md"
AGENTS = ["createAgent", "updateAgent"]
SECRET = "the family's own secret"
CASES = "2000"
EXAMPLES = os.environ.get("EXAMPLES", "10")
SECONDS = "5"

# The tool's own list of statuses for refusals has no 412, which the document declares: every refusal would be accused.
STATUSES = """
[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 412, 413]
[checks.missing_required_header]
expected-statuses = [401, 412]
"""


@contextlib.contextmanager
def program(*command):
    """The URL that a program prints as its first line; it is ended afterwards by its process id."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    try:
        url = process.stdout.readline().strip()
        watchdog.cancel()
        if not url:
            standin.fail(f"{command[0]} did not become ready")
        yield url
    finally:
        watchdog.cancel()
        process.kill()
        process.wait()


def broken(name):
    return program(FAMILY, name)


@contextlib.contextmanager
def outside(*flags):
    """The server that is written in Python from the published document."""
    with tempfile.TemporaryDirectory() as folder:
        document = pathlib.Path(folder, "openapi.json")
        document.write_text(standin.run("contract", "openapi"), encoding="utf-8")
        with program(sys.executable, str(OUTSIDE), str(document), *flags) as url:
            yield url


def family():
    lines = subprocess.run([FAMILY], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def operations(sound):
    return [*AGENTS, "getAgent", "deleteAgent"] if sound == "state" else AGENTS


def campaign(url, sound="samples", cases=CASES, seed="0"):
    """The outcome of a campaign of ours."""
    with tempfile.TemporaryDirectory() as folder:
        report = pathlib.Path(folder, "outcome.json")
        command = [standin.BINARY, "fuzz", url, "--cases", cases, "--seed", seed, "--timeout", f"{SECONDS}s", "--yes"]
        command += ["--report", f"json={report}", "--findings", folder]
        for operation in operations(sound):
            command += ["--operation", operation]
        command += ["--stateful"] if sound == "state" else []
        command += ["--client-secret", SECRET] if sound == "verified" else []
        done = subprocess.run(command, capture_output=True, text=True, timeout=1800)
        if done.returncode not in (0, 1):
            standin.fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
        return json.loads(report.read_text(encoding="utf-8"))


def is_of(finding, bug):
    """Whether a finding of ours is the bug."""
    place = finding["place"]
    return (
        finding["check"] == bug["check"]
        and bug["operation"] in ("", finding["operation"])
        and bug["rule"] in (None, place.get("rule"))
        and place["pointer"].endswith(bug["place"])
    )


def schemathesis(url, sound="samples"):
    """What Schemathesis accuses a server of: the check, the operation and the request with its answer."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        flags = ["--state"] if sound == "state" else []
        (folder / "openapi.json").write_text(standin.run("contract", "openapi", *flags), encoding="utf-8")
        (folder / "config.toml").write_text(STATUSES, encoding="utf-8")
        signed = ["--client-secret", SECRET] if sound == "verified" else []
        token = standin.run("token", *signed).strip()
        command = ["st", "--config-file", "config.toml", "run", "openapi.json", "--url", url, "--no-color"]
        command += ["--max-examples", EXAMPLES, "--request-timeout", SECONDS, "--seed", "1"]
        command += ["--header", f"auth: {token}", "--output-sanitize", "false"]
        command += ["--report", "ndjson", "--report-ndjson-path", "events.ndjson"]
        for operation in operations(sound):
            command += ["--include-operation-id", operation]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
        if done.returncode not in (0, 1):
            standin.fail(f"{' '.join(command)} ended with {done.returncode}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        with open(folder / "events.ndjson", encoding="utf-8") as events:
            return [accusation for line in events for accusation in accusations(json.loads(line))]


def accusations(event):
    recorder = event.get("ScenarioFinished", {}).get("recorder") or {}
    for case, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check.get("status") == "failure":
                yield check["name"], recorder["label"], recorder["interactions"].get(case)


def is_real(accusation, url):
    """Whether an accusation says something that cannot be said of the sound server: that one answers the same request in
    another way."""
    response = (accusation[2] or {}).get("response")
    if not response:
        return True
    return send(url, accusation[2]["request"]) != (response["status_code"], content(response.get("content")))


def content(body):
    return base64.b64decode(body["$base64"]) if body else b""


def send(url, request):
    """Status and body of the answer to a request as it was recorded."""
    there, sent = urllib.parse.urlsplit(url), urllib.parse.urlsplit(request["uri"])
    target = sent.path + (f"?{sent.query}" if sent.query else "")
    body = content(request.get("body"))
    lines = [f"{request['method']} {target} HTTP/1.1", f"host: {there.netloc}", "connection: close"]
    for name, values in request["headers"].items():
        if name.lower() not in ("host", "connection", "content-length", "transfer-encoding"):
            lines += [f"{name}: {value}" for value in values]
    lines += [f"content-length: {len(body)}", "", ""]
    with socket.create_connection((there.hostname, there.port), timeout=20) as stream:
        # That is how the tool writes headers.
        stream.sendall("\r\n".join(lines).encode("latin-1") + body)
        with stream.makefile("rb") as reply:
            head, _, rest = reply.read().partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), rest


def sound_server(sound):
    flags = {"samples": [], "state": ["--state"], "verified": ["--token", "verified", "--client-secret", SECRET]}
    return standin.serving(*flags[sound])


def told_apart(bug, accused):
    """Those accusations of a server with a bug that are about the bug, and the others, by check and operation."""
    real, wrong = set(), set()
    with sound_server(bug["sound"]) as url:
        # Of what was made at another server nothing is there: those are told apart by what is said of a sound one.
        known = {accusation[:2] for accusation in schemathesis(url, "state")} if bug["sound"] == "state" else None
        for accusation in accused:
            is_about_it = is_real(accusation, url) if known is None else accusation[:2] not in known
            (real if is_about_it else wrong).add(accusation[:2])
    return real, wrong - real


def row(bug):
    """What both say of a server with this bug: whether it is found, and how many are accused wrongly beside it."""
    with broken(bug["name"]) as url:
        outcome = campaign(url, bug["sound"])
    with broken(bug["name"]) as url:
        real, wrong = told_apart(bug, schemathesis(url, bug["sound"]))
    own = [is_of(finding, bug) for finding in outcome["findings"]]
    return (any(own), own.count(False)), (bool(real), len(wrong))


def rows(bugs):
    """A row for each of these bugs, with what ours fails at."""
    table, worse = [], []
    for bug in bugs:
        ours, theirs = row(bug)
        if not ours[0] or ours[1]:
            worse.append(f"{bug['name']}: {said(ours)}")
        table.append([f"`{bug['name']}`", bug["does"], f"`{bug['check']}`", said(ours), said(theirs)])
        print(" | ".join(table[-1]), flush=True)
    return table, worse


def said(result):
    found, wrong = result
    return ("found" if found else "missed") + (f", {wrong} falsely accused" if wrong else "")


def correct():
    """The rows of the servers that are right."""
    for name, server, sound in (
        ("`standin serve`", standin.serving(), "samples"),
        ("`standin serve --state`", standin.serving("--state"), "state"),
        ("`tests/outside`, strict", outside(), "samples"),
        ("`tests/outside`, lenient", outside("--lenient"), "samples"),
    ):
        with server as url:
            ours = campaign(url, sound)["findings"]
            theirs = {accusation[:2] for accusation in schemathesis(url, sound)}
        row = [name, "nothing", "", accused(len(ours)), accused(len(theirs))]
        print(" | ".join(row), flush=True)
        yield row


def accused(count):
    return f"{count} falsely accused" if count else "nothing"


def main():
    header = ["server", "what is wrong with it", "check", "standin fuzz", "Schemathesis"]
    table, worse = rows(family())
    table = [header, ["---"] * len(header), *correct(), *table]
    versions = f"standin {standin.run('--version').split()[-1]}, Schemathesis {importlib.metadata.version('schemathesis')}"
    lines = [f"{versions}; {CASES} cases, {EXAMPLES} examples an operation, {SECONDS} seconds a request.", ""]
    lines += [f"| {' | '.join(row)} |" for row in table]
    text = PAGE.read_text(encoding="utf-8")
    marked = re.sub(r"(<!-- matrix -->\n).*?(?=<!-- end -->)", lambda m: m[1] + "\n".join(lines) + "\n", text, flags=re.S)
    PAGE.write_text(marked, encoding="utf-8")
    if worse:
        standin.fail("; ".join(worse))


if __name__ == "__main__":
    main()

"""A running stand-in for the judges, and what is said when something is wrong."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request

BINARY = os.environ.get("STANDIN", "target/debug/standin")
ACCOUNT = "649bdcaf5037ed113942xxxx"


def run(*arguments, check=True):
    """Runs a command of the program and returns its standard output."""
    done = subprocess.run([BINARY, *arguments], capture_output=True, text=True, encoding="utf-8")
    if check and done.returncode != 0:
        fail(f"standin {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def document():
    """The published OpenAPI document."""
    return json.loads(run("contract", "openapi"))


def fixture(operation, name="response"):
    """A sample of the documentation."""
    return json.loads(pathlib.Path(f"fixtures/{operation}/{name}.json").read_text(encoding="utf-8"))


def operations(document):
    """Path template, method and operation, for each."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method in {"get", "put", "post", "delete", "patch"}:
                yield path, method, operation


def body_schema(operation):
    return operation["requestBody"]["content"]["application/json"]["schema"]


def samples(operation):
    """The request examples, by name; none when there is no body."""
    if "requestBody" not in operation:
        return {}
    examples = operation["requestBody"]["content"]["application/json"].get("examples", {})
    return {name: example["value"] for name, example in examples.items()}


def filled(path):
    """A path template with a plausible value for each placeholder."""
    return re.sub(r"\{[^}]*\}", "st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx", path)


def query(operation, document):
    """Every query parameter with a value that it takes."""
    values = {}
    for parameter in operation.get("parameters", []):
        while "$ref" in parameter:
            parameter = resolve(document, parameter["$ref"])
        if parameter["in"] == "query":
            schema = parameter["schema"]
            while "$ref" in schema:
                schema = resolve(document, schema["$ref"])
            values[parameter["name"]] = schema["enum"][0] if "enum" in schema else "1"
    return values


def resolve(document, reference):
    node = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step.replace("~1", "/").replace("~0", "~")]
    return node


@contextlib.contextmanager
def serving(*flags):
    """The URL of a server on a free port, which is ended afterwards by its process id."""
    server = subprocess.Popen(
        [BINARY, "serve", "--listen", "127.0.0.1:0", "--log", "json", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    # A server that says nothing is ended, which ends the wait for its line.
    watchdog = threading.Timer(20, server.kill)
    watchdog.start()
    try:
        line = server.stdout.readline()
        watchdog.cancel()
        if not line:
            fail("the server did not become ready")
        yield json.loads(line)["url"]
    finally:
        watchdog.cancel()
        server.terminate()
        try:
            server.wait(timeout=5)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def call(url, method="GET", body=None, headers=None):
    """Status, headers and bytes of a reply, whatever the status."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def token():
    return run("token").strip()


def headers():
    """What every request needs, and the one header that a single operation asks for besides."""
    return {"auth": token(), "accountId": ACCOUNT, "IId": "st-1", "Content-Type": "application/json"}


def fail(why):
    print(f"FAILED: {why}", file=sys.stderr)
    raise SystemExit(1)



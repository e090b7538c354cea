"""A second server of createAgent and updateAgent, written from the published document and from nothing else of standin.

    python3 tests/outside/server.py DOCUMENT [--lenient] [--client-secret S]

DOCUMENT is what `standin contract openapi` prints. It listens on a free port, and its first line is the URL.

Where the pages contradict themselves or say nothing, two servers can differ and both be right. The strict one takes
one reading of each contradiction and refuses the other, and keeps every rule of the document, the assumed ones too.
The lenient one takes both readings, and lets through whatever no page forbids.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import http.client
import json
import re
import socketserver
import threading
import time
import urllib.parse

from jsonschema import Draft202012Validator

OPERATIONS = ("createAgent", "updateAgent")
MOST_BYTES = 1024 * 1024
MOST_LEVELS = 128


class Refused(Exception):
    """Why a request is refused: the vendor's message and code, and the places that are wrong."""

    def __init__(self, status, message, code=None, places=(), headers=()):
        super().__init__(message)
        self.status = status
        self.headers = list(headers)
        error = {"msg": message, "code": code or status}
        if places:
            error["details"] = [{"field": field, "message": what} for field, what in places]
        self.body = {"errors": [error]}


def invalid(*places):
    return Refused(412, "Validation errors/ Invalid arguments", places=places)


class Operation:
    """What the document says of one operation."""

    def __init__(self, document, path, method, spec, lenient):
        self.name = spec["operationId"]
        self.method = method.upper()
        self.segments = path.split("/")[1:]
        parameters = inlined(spec["parameters"], document)
        schema = inlined(spec["requestBody"]["content"]["application/json"]["schema"], document)
        if lenient:
            schema, parameters = without_assumed(schema), without_assumed(parameters)
        elif self.name == "updateAgent":
            schema = with_one_reading(schema)
        self.parameters = [{**each, "schema": Draft202012Validator(each["schema"])} for each in parameters]
        self.body = Draft202012Validator(schema)
        reply = spec["responses"]["200"]["content"]["application/json"]
        self.reply = next(iter(reply["examples"].values()))["value"]
        members = inlined(reply["schema"], document)["properties"]
        self.members = {name: Draft202012Validator(member) for name, member in members.items()}

    def path_values(self, segments):
        """The values of the path's placeholders, as sent; nothing when it is another path."""
        if len(segments) != len(self.segments):
            return None
        values = {}
        for ours, sent in zip(self.segments, segments):
            if ours.startswith("{"):
                values[ours[1:-1]] = sent
            elif ours != sent:
                return None
        return values

    def answer(self, body):
        """The sample, with what was sent wherever the reply can have it."""
        shown = {name: body[name] for name, fits in self.members.items() if name in body and fits.is_valid(body[name])}
        return {**self.reply, **shown}


class Api:
    """All of it, without a socket."""

    def __init__(self, document, lenient, secret):
        self.lenient = lenient
        self.secret = secret
        self.operations = []
        for path, item in document["paths"].items():
            for method, spec in item.items():
                if isinstance(spec, dict) and spec.get("operationId") in OPERATIONS:
                    self.operations.append(Operation(document, path, method, spec, lenient))

    def respond(self, method, target, headers, body):
        """Status, headers and value of the reply."""
        path, _, query = target.partition("?")
        operation, values = self.route(method, path)
        self.authorize([value for name, value in headers if name == "auth"])
        value = self.read(headers, body)
        wrong = self.wrong_parameters(operation, values, query, headers)
        for error in operation.body.iter_errors(value):
            wrong += [(place(part), part.message[:200]) for part in parts(error)]
        if operation.name == "updateAgent" and not self.lenient and not wrong:
            wrong += other_group(query, value)
        if wrong:
            raise invalid(*wrong)
        return 200, [], operation.answer(value)

    def route(self, method, path):
        segments = path.split("/")[1:]
        if self.lenient and segments[-1] == "":
            segments.pop()
        found = [(operation, operation.path_values(segments)) for operation in self.operations]
        found = [(operation, values) for operation, values in found if values is not None]
        # An empty last segment is a path that nobody has.
        if not path.startswith("/") or not found or segments[-1] == "":
            raise Refused(404, "Not Found")
        for operation, values in found:
            if operation.method == method:
                return operation, values
        allowed = ", ".join(operation.method for operation, _ in found)
        raise Refused(405, "Method Not Allowed", headers=[("Allow", allowed)])

    def authorize(self, tokens):
        if len(tokens) != 1 or not tokens[0]:
            raise Refused(401, "Invalid SDK credentials", 4002, [("auth", "one token is needed")])
        parts = tokens[0].split(".")
        try:
            if len(parts) != 3:
                raise ValueError("it has not three parts")
            header, payload, signature = (decoded(part) for part in parts)
            header, claims = json.loads(header), json.loads(payload)
            if not isinstance(header, dict) or not isinstance(claims, dict):
                raise ValueError("its parts are no objects")
        except (ValueError, RecursionError) as error:
            raise Refused(401, "Invalid JWT token", 4002, [("auth", str(error)[:200])]) from None
        client = claims.get("appId")
        if not isinstance(client, str) or not client:
            raise Refused(401, "Invalid SDK credentials", 4002, [("auth", "its payload has no appId")])
        if self.secret and not self.is_signed(header, claims, tokens[0].rpartition(".")[0], signature):
            raise Refused(401, "Invalid SDK credentials", 4002, [("auth", "its signature or time is wrong")])

    def is_signed(self, header, claims, signed, signature):
        expected = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).digest()
        expires = claims.get("exp", time.time() + 1)
        starts = claims.get("nbf", 0)
        in_time = all(isinstance(at, (int, float)) for at in (expires, starts)) and starts <= time.time() < expires
        return header.get("alg") == "HS256" and hmac.compare_digest(expected, signature) and in_time

    def read(self, headers, body):
        types = [value for name, value in headers if name == "content-type"]
        if len(types) != 1 or types[0].split(";")[0].strip(" \t").lower() != "application/json":
            raise invalid(("Content-Type", "one of application/json is needed"))
        try:
            text = body.decode("utf-8-sig" if self.lenient else "utf-8")
            return parsed(text, self.lenient)
        except (ValueError, RecursionError) as error:
            raise invalid(("body", f"it is not JSON: {str(error)[:200]}")) from None

    def wrong_parameters(self, operation, path_values, query, headers):
        """What is wrong with the parameters, each with its name."""
        wrong = []
        try:
            pairs = [tuple(unescaped(part) for part in pair.partition("=")[::2]) for pair in query.split("&") if pair]
        except ValueError as error:
            return [(parameter["name"], str(error)) for parameter in operation.parameters if parameter["in"] == "query"]
        if self.lenient:
            names = {name for name, _ in pairs}
            pairs = [("groupId" if name == "agentgroupId" and "groupId" not in names else name, value) for name, value in pairs]
        for parameter in operation.parameters:
            name = parameter["name"]
            if parameter["in"] == "path":
                values = [path_values[name]]
            elif parameter["in"] == "query":
                values = [value for other, value in pairs if other == name]
            else:
                values = [value for other, value in headers if other == name.lower()]
            if not values:
                if parameter.get("required"):
                    wrong.append((name, "it is missing"))
                continue
            if len(values) > 1 and not self.lenient:
                wrong.append((name, "it is there more than once"))
                continue
            try:
                value = unescaped(values[0], plus=False) if parameter["in"] == "path" else values[0]
            except ValueError as error:
                wrong.append((name, str(error)))
                continue
            wrong += [(name, error.message[:200]) for error in parameter["schema"].iter_errors(value)]
        return wrong


def other_group(query, body):
    """The group is sent twice, and the strict server wants it to be the same one."""
    group = urllib.parse.parse_qs(query).get("groupId")
    sent = body.get("agentGroupId")
    return [] if sent is None or [sent] == group else [("agentGroupId", "it is not the group of the query")]


def with_one_reading(schema):
    """The update's body by its table: phone numbers are strings."""
    properties = {**schema["properties"], "phoneNumber": {"type": "string"}}
    return {**schema, "properties": properties, "required": [*schema.get("required", []), "emailId"]}


def without_assumed(node):
    """The same without the rules that no page has."""
    if isinstance(node, list):
        return [without_assumed(item) for item in node]
    if not isinstance(node, dict):
        return node
    assumed = {rule for rule, origin in node.get("x-rules", {}).items() if "x-assumed" in origin}
    if "x-assumed" in node:
        assumed.add("required")
    return {name: without_assumed(value) for name, value in node.items() if name not in assumed}


def inlined(node, document):
    """The same with every reference looked up."""
    if isinstance(node, list):
        return [inlined(item, document) for item in node]
    if not isinstance(node, dict):
        return node
    out = {name: inlined(value, document) for name, value in node.items() if name != "$ref"}
    if isinstance(node.get("$ref"), str):
        target = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        out = {**inlined(target, document), **out}
    return out


def parsed(text, lenient):
    """The value of a JSON text, whose last member of a name counts."""

    def whole(digits):
        number(digits)
        return int(digits)

    def number(digits):
        value = float(digits)
        if abs(value) == float("inf"):
            raise ValueError("a number is too large")
        return value

    def constant(name):
        raise ValueError(f"{name} is no number")

    value = json.loads(text, parse_float=number, parse_int=whole, parse_constant=constant)
    if levels(text) > MOST_LEVELS and not lenient:
        raise ValueError("it is nested too deep")
    if re.search(r"\\u[dD][89a-fA-F]", text):
        # Halves of a pair are no text: the strict server refuses them, the lenient one loses them.
        whole_text = json.dumps(value, ensure_ascii=False).encode(errors="replace" if lenient else "strict")
        value = json.loads(whole_text)
    return value


def levels(text):
    """How deep a JSON text is nested."""
    deepest = depth = 0
    for bracket in re.findall(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', text):
        if bracket in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket in "]}":
            depth -= 1
    return deepest


def parts(error):
    """The errors that an error of the validator is made of, where each of several schemas is broken."""
    return [part for inner in error.context for part in parts(inner)] if error.context else [error]


def place(error):
    """The name of the member that an error of the validator is about."""
    steps = [str(step) for step in error.absolute_path]
    if error.validator == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        steps += missing[:1]
    return ".".join(steps) or "body"


def decoded(part):
    """The bytes of a part of a token. Bits beyond the last byte may be anything, as in the token of the pages."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*", part) or len(part) % 4 == 1:
        raise ValueError("a part is not base64url")
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def unescaped(text, plus=True):
    """A text of the target with its escapes resolved, each of which is whole."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ValueError("an escape is broken")
    if plus:
        text = text.replace("+", " ")
    return urllib.parse.unquote_to_bytes(text.encode("utf-8", "surrogateescape")).decode("utf-8")


class Connection(socketserver.StreamRequestHandler):
    """HTTP/1.1 with keep-alive, as much of it as clients of an API send."""

    timeout = 60
    disable_nagle_algorithm = True

    def handle(self):
        try:
            while self.turn():
                pass
        except (OSError, TimeoutError):
            pass

    def turn(self):
        """Answers one request, and tells whether there may be another."""
        line = self.rfile.readline(65537)
        if not line:
            return False
        try:
            method, target, version = line.decode("latin-1").rstrip("\r\n").split(" ")
            target = target.encode("latin-1").decode("utf-8", "surrogateescape")
            headers = self.headers()
            body = self.body(headers)
            if not version.startswith("HTTP/1.") or len([name for name, _ in headers if name == "host"]) != 1:
                raise ValueError
        except (ValueError, EOFError):
            self.send(400, [], Refused(400, "Bad Request").body, keep=False)
            return False
        except Refused as refused:
            self.send(refused.status, [], refused.body, keep=False)
            return False
        connection = ", ".join(value for name, value in headers if name == "connection").lower()
        keep = "close" not in connection and (version == "HTTP/1.1" or "keep-alive" in connection)
        try:
            status, more, value = self.server.api.respond(method, target, headers, body)
        except Refused as refused:
            status, more, value = refused.status, refused.headers, refused.body
        self.send(status, more, value, keep, method != "HEAD")
        return keep

    def headers(self):
        """Names in small letters and values."""
        headers = []
        while (line := self.rfile.readline(65537)) not in (b"\r\n", b"\n"):
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip() or not line.endswith(b"\n") or len(headers) == 200:
                raise ValueError("not a header")
            headers.append((name.lower(), value.strip(" \t\r\n")))
        return headers

    def body(self, headers):
        codings = [value.lower() for name, value in headers if name == "transfer-encoding"]
        lengths = {value for name, value in headers if name == "content-length"}
        if codings and (codings != ["chunked"] or lengths) or len(lengths) > 1:
            raise ValueError("the length is not clear")
        if any(name == "expect" and value.lower() == "100-continue" for name, value in headers):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if not codings:
            length = lengths.pop() if lengths else "0"
            return self.bytes(length, 10)
        body = b""
        while chunk := self.bytes(self.rfile.readline(1024).split(b";")[0].strip().decode(), 16):
            body += chunk
            if self.rfile.readline(3).strip() or len(body) > MOST_BYTES:
                raise Refused(413, "Payload Too Large")
        while self.rfile.readline(65537) not in (b"\r\n", b"\n", b""):
            pass
        return body

    def bytes(self, length, base):
        """As many bytes as a text says."""
        if not re.fullmatch(r"[0-9]+" if base == 10 else r"[0-9A-Fa-f]+", length):
            raise ValueError("not a length")
        length = int(length, base)
        if length > MOST_BYTES:
            raise Refused(413, "Payload Too Large")
        body = self.rfile.read(length)
        if len(body) < length:
            raise EOFError
        return body

    def send(self, status, headers, value, keep, with_body=True):
        body = json.dumps(value).encode()
        lines = [f"HTTP/1.1 {status} {http.client.responses[status]}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {text}" for name, text in headers]
        lines += [] if keep else ["Connection: close"]
        head = "\r\n".join(lines) + "\r\n\r\n"
        self.wfile.write(head.encode("latin-1") + (body if with_body else b""))


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, api):
        super().__init__(("127.0.0.1", 0), Connection)
        self.api = api


def main():
    arguments = argparse.ArgumentParser(description="A second server of createAgent and updateAgent.")
    arguments.add_argument("document", type=argparse.FileType(encoding="utf-8"))
    arguments.add_argument("--lenient", action="store_true")
    arguments.add_argument("--client-secret")
    chosen = arguments.parse_args()
    # Deep texts are JSON too; what goes beyond is refused when the parser gives up.
    threading.stack_size(16 * 1024 * 1024)
    api = Api(json.load(chosen.document), chosen.lenient, chosen.client_secret)
    with Server(api) as server:
        print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()

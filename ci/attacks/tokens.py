"""Secrets in places where they do not belong: no reader of the journal or the log finds one."""

import asyncio
import base64
import json
import pathlib
import tempfile
import urllib.parse

import http1
from attack import attack
from server import Server

CLIENT_SECRET = "c1ient-secret-of-the-attack"
CONTROL_TOKEN = "c0ntrol-token-of-the-attack"
# Longer than what a violation quotes of a value.
OPAQUE = f"0paque-token-of-the-attack-{60 * 'x'}-with-a-tail"
SECRETS = {"the client secret": CLIENT_SECRET, "the control token": CONTROL_TOKEN, "an opaque token": OPAQUE}

HEADERS = (
    "authorization", "proxy-authorization", "x-auth", "x-auth-token", "x-access-token", "access-token", "token",
    "x-token", "jwt", "x-jwt", "bearer", "x-api-key", "api-key", "apikey", "x-kore-token", "x-amz-security-token",
    "x-goog-iap-jwt-assertion", "cookie", "referer", "accountid", "x-forwarded-authorization",
)


def base64_text(text):
    return base64.b64encode(text.encode()).decode()


def percent(text):
    """Every character as a percent code."""
    return "".join(f"%{octet:02X}" for octet in text.encode())


def escaped(text):
    """Every character as JSON's escape."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


# How to put a secret into a request of its own.
PLACES = {
    **{f"header {name}": lambda secret, name=name: http1.request(body=http1.valid(), **{name: secret})
       for name in HEADERS},
    "header authorization, after Bearer": lambda secret: http1.request(
        body=http1.valid(), authorization=f"Bearer {secret}"),
    "query ?auth=": lambda secret: http1.request(path=f"{http1.AGENTS}?auth={secret}", body=http1.valid()),
    "query ?access_token=": lambda secret: http1.request(
        path=f"{http1.AGENTS}?access_token={secret}", body=http1.valid()),
    "query, percent-encoded": lambda secret: http1.request(
        path=f"{http1.AGENTS}?auth={percent(secret)}", body=http1.valid()),
    "query, base64": lambda secret: http1.request(
        path=f"{http1.AGENTS}?auth={urllib.parse.quote(base64_text(secret))}", body=http1.valid()),
    "path": lambda secret: http1.request(path=http1.AGENTS.replace("/st-", f"/{secret}-"), body=http1.valid()),
    "path that nobody has": lambda secret: http1.get(f"/nowhere/{secret}"),
    "mistyped control path": lambda secret: http1.get(f"/__stanbin/requests?token={secret}"),
    "control path with a capital letter": lambda secret: http1.get(f"/__Standin/requests?token={secret}"),
    "member of the body": lambda secret: http1.request(body=json.dumps({"auth": secret}).encode()),
    "name of a member": lambda secret: http1.request(body=json.dumps({secret: 1}).encode()),
    "value that breaks a rule": lambda secret: http1.request(
        body=json.dumps({**json.loads(http1.valid()), "emailId": secret}).encode()),
    "body, escaped": lambda secret: http1.request(body=f'{{"auth":"{escaped(secret)}"}}'.encode()),
    "body, base64": lambda secret: http1.request(body=json.dumps({"auth": base64_text(secret)}).encode()),
    "body as a form": lambda secret: http1.request(
        body=f"auth={secret}&x=1".encode(), content_type="application/x-www-form-urlencoded"),
    "form, percent-encoded": lambda secret: http1.request(
        body=f"auth={percent(secret)}".encode(), content_type="application/x-www-form-urlencoded"),
    "body that is no text": lambda secret: http1.request(body=b"\xff\xfe" + secret.encode() + b"\xff"),
    "basic credentials": lambda secret: http1.request(
        body=http1.valid(), authorization=f"Basic {base64_text('user:' + secret)}"),
    "method": lambda secret: http1.get("/nowhere").replace(b"GET", secret.encode(), 1),
}


@attack(once=True)
async def misplaced_tokens(target):
    """Puts tokens and secrets where they do not belong, and looks for them in journal, exports, events and log."""
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(_misplace, target, pathlib.Path(folder))


def _misplace(target, folder):
    journal, log = folder / "journal.ndjson", folder / "log"
    flags = ("--token", "any", "--journal-file", str(journal))
    flags += ("--client-secret", CLIENT_SECRET, "--control-token", CONTROL_TOKEN)
    # Each place has a token of its own; of the others there is only one for all places.
    tokens = {place: _token(number) for number, place in enumerate(PLACES)}
    own = {}
    with log.open("wb") as lines, Server(*flags, log=lines) as server:
        # Once it was accepted, it is a secret.
        http1.ask(server, http1.request(body=http1.valid(), auth=OPAQUE))
        for place, build in PLACES.items():
            for what, secret in {"a token": tokens[place], **SECRETS}.items():
                number = http1.ask(server, build(secret))[1]["x-standin-exchange"]
                own[f"{what} as {place}"] = secret, _control(server, f"requests/{number}")
        paths = ("requests?limit=1000", *(f"export?format={name}" for name in ("ndjson", "har", "curl", "pact")))
        texts = {path: _control(server, path) for path in paths}
        server.stop()
    texts |= {"the journal file": journal.read_bytes(), "the log": log.read_bytes()}

    for what, (secret, text) in own.items():
        is_kept = _shows(text, secret)
        target.tally["kept" if is_kept else "replaced"] += 1
        if is_kept:
            target.fail(f"{what} stays in its exchange")
    for name, text in texts.items():
        kept = sum(_shows(text, token) for token in tokens.values())
        kept += sum(_shows(text, secret) for secret in SECRETS.values())
        if kept:
            target.fail(f"{name} shows {kept} of {len(tokens) + len(SECRETS)} secrets")
    if journal.stat().st_mode & 0o777 != 0o600:
        target.fail(f"expected a journal file of mode 600, but found {journal.stat().st_mode & 0o777:o}")
    for line in journal.read_text().splitlines():
        json.loads(line)


def _control(server, path):
    return http1.ask(server, http1.get(f"/__standin/{path}", authorization=f"Bearer {CONTROL_TOKEN}"))[2]


def _token(number):
    """A token whose signature is in no other."""
    header = base64_text('{"alg":"HS256","typ":"JWT"}').rstrip("=")
    payload = base64_text(json.dumps({"appId": f"cs-{number}"})).rstrip("=")
    return f"{header}.{payload}.signature-{number:02}-0123456789abcdefghijklmnopqr"


def _shows(text, secret):
    """Whether the secret, or the secret part of a token, stands in the text in a way that a reader could take back."""
    # Its beginning is enough: none must be left where it is cut off.
    part = secret.rpartition(".")[2][:26]
    forms = {part, percent(part), percent(part).lower(), escaped(part), escaped(part).replace("\\", "\\\\")}
    # In base64 it looks different at each of three places, its ends left out.
    forms |= {base64_text(shift * "x" + part)[4:-4] for shift in range(3)}
    return any(form.encode() in text for form in forms)

"""Do HTTP clients send the cases whose label says `any` as they are?

Each such case of `standin generate` goes to a running `standin serve` by the fetch of Node and by requests of Python.
The server must have received the request of the case, and found the violation of its label and nothing else.
"""

import base64
import hashlib
import json
import pathlib
import subprocess

import requests

import standin

COUNT = "500"
SEED = "1"
# What says who is sent to and how the body is framed; a client writes them itself.
FRAMING = {"connection", "content-length", "host", "transfer-encoding"}
# What clients add, which is no fault and breaks no rule.
ADDED = {"accept", "accept-encoding", "accept-language", "sec-fetch-mode", "user-agent"}


def cases(operation):
    """The cases that any client can send: valid ones and mutants."""
    for flags in [], ["--mutants"]:
        out = standin.run("generate", operation, "--count", COUNT, "--seed", SEED, *flags)
        for case in map(json.loads, filter(None, out.split("\n"))):
            if case["wire"] == "any":
                yield case


def content(body):
    """The bytes of a body."""
    if "base64" in body:
        return base64.b64decode(body["base64"])
    if "text" in body:
        return body["text"].encode()
    return json.dumps(body["json"], ensure_ascii=False, separators=(",", ":")).encode()


def by_requests(url, cases):
    """Status and number of the exchange for each case, or why it could not be sent."""
    session = requests.Session()
    session.trust_env = False
    for case in cases:
        request = case["request"]
        headers = dict(request["headers"])
        try:
            reply = session.request(
                request["method"],
                url + request["target"],
                headers=headers,
                data=content(request["body"]),
                allow_redirects=False,
                timeout=20,
            )
            yield {"status": reply.status_code, "exchange": reply.headers.get("x-standin-exchange")}
        except (requests.RequestException, ValueError, UnicodeError) as error:
            yield {"error": repr(error)}


def by_fetch(url, cases):
    """The same by the fetch of Node."""
    lines = []
    for case in cases:
        request = case["request"]
        body = base64.b64encode(content(request["body"])).decode()
        lines.append(
            json.dumps({"method": request["method"], "url": url + request["target"], "headers": request["headers"], "body": body})
        )
    script = pathlib.Path(__file__).with_name("send.mjs")
    done = subprocess.run(["node", script], input="\n".join(lines), capture_output=True, text=True, encoding="utf-8", timeout=300)
    if done.returncode != 0:
        standin.fail(f"node ended with {done.returncode}: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def difference(case, result, exchanges):
    """What is not as the case and its label say; nothing when all is."""
    if "error" in result:
        return result["error"]
    exchange = exchanges.get(int(result["exchange"] or 0))
    if exchange is None:
        return f"status {result['status']} without an exchange"
    sent, received = case["request"], exchange["request"]
    for part in "method", "target":
        if sent[part] != received[part]:
            return f"{part} {sent[part]!r} arrived as {received[part]!r}"
    wanted, found = names(sent["headers"]), names(received["headers"])
    if [name for name in found if name not in ADDED or name in wanted] != wanted:
        return f"headers {wanted} arrived as {found}"
    if hashlib.sha256(content(sent["body"])).hexdigest() != received["body"]["sha256"]:
        return f"a body of {len(content(sent['body']))} bytes arrived as another of {received['body']['bytes']}"
    label = case["label"]
    refused = label.get("expect") == "refused"
    wanted = [(label["pointer"], label["rule"])] if refused else []
    found = [(violation["pointer"], violation["rule"]) for violation in exchange["violations"]]
    if found != wanted or (200 <= result["status"] < 300) == refused:
        return f"expected {wanted}, but found {result['status']} {found}"
    return None


def names(headers):
    return sorted(name.lower() for name, _ in headers if name.lower() not in FRAMING)


def judge(url, operation):
    found = list(cases(operation))
    operators = {case["label"]["operator"] for case in found if case["label"]["kind"] == "mutant"}
    wrong = []
    for client, send in ("fetch", by_fetch), ("requests", by_requests):
        json_type = {"Content-Type": "application/json"}
        for start in range(0, len(found), 1000):
            part = found[start : start + 1000]
            results = list(send(url, part))
            _, _, export = standin.call(f"{url}/__standin/export?format=ndjson")
            exchanges = {}
            for line in filter(None, export.decode().split("\n")):
                exchange = json.loads(line)
                exchanges[exchange["id"]] = exchange
            standin.call(f"{url}/__standin/requests", method="DELETE", headers=json_type)
            for case, result in zip(part, results, strict=True):
                if (why := difference(case, result, exchanges)) is not None:
                    wrong.append(f"{operation} {case['seed']} {case['index']} by {client}: {why}\n    {json.dumps(case['label'], ensure_ascii=False)[:400]}")
    if wrong:
        print("\n".join(wrong[:20]))
        standin.fail(f"{operation}: {len(wrong)} cases are not what any client sends")
    print(f"{operation}: {len(found)} cases of {len(operators)} operators arrive as they are, by fetch and by requests")


def main():
    with standin.serving() as url:
        for _, _, operation in standin.operations(standin.document()):
            judge(url, operation["operationId"])


if __name__ == "__main__":
    main()

"""Can a page of another origin call every operation in Chromium, and read what comes back?

Chromium is driven by plain WebDriver over HTTP. The page is served by a server of this script, which has another
port and so another origin than the stand-in.
"""

import contextlib
import http.server
import json
import os
import subprocess
import threading

import standin

FLAGS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--disable-sync", "--no-first-run",
    "--no-default-browser-check", "--metrics-recording-only", "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]

# Runs in the page. Calls one URL and hands back what a page can see of the reply.
FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(async (reply) => done({
  status: reply.status,
  headers: Object.fromEntries(reply.headers),
  text: await reply.text(),
})).catch((error) => done({ error: String(error) }));
"""


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>another origin</title>")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def page():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def driver():
    process = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    watchdog = threading.Timer(30, process.kill)
    watchdog.start()
    try:
        for line in process.stdout:
            # An earlier line says that it starts on port 0.
            if "started successfully on port" in line:
                port = int(line.rstrip(". \n").rsplit(" ", 1)[1])
                break
        else:
            standin.fail("chromedriver did not start")
        watchdog.cancel()
        yield f"http://127.0.0.1:{port}"
    finally:
        watchdog.cancel()
        process.terminate()
        process.wait()


def command(url, method, body=None):
    status, _, reply = standin.call(url, method, body, {"Content-Type": "application/json"})
    value = json.loads(reply)["value"]
    if status != 200:
        standin.fail(f"WebDriver: {value}")
    return value


@contextlib.contextmanager
def browser(driver):
    options = {"args": FLAGS}
    if os.environ.get("CHROMIUM"):
        options["binary"] = os.environ["CHROMIUM"]
    capabilities = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
    session = f"{driver}/session/{command(f'{driver}/session', 'POST', capabilities)['sessionId']}"
    try:
        yield session
    finally:
        # Before the driver ends, or its browser stays.
        command(session, "DELETE")


def app(fetch, url, headers):
    """An app with state: it makes, lists, changes and deletes an agent in one session; another one sees nothing of it."""

    def call(session, method, path, body=None):
        target = f"{url}/@{session}/agentassist/api/v1/public/st-1/{path}"
        reply = fetch(target, method, json.dumps(body) if body else None, headers)
        return reply["status"], json.loads(reply["text"])

    def listed(session):
        status, reply = call(session, "GET", "organizations/o-1/agents?page=1")
        if status != 200:
            standin.fail(f"a list got {status}: {reply}")
        return [agent["emailId"] for agent in reply["results"]]

    agent = {**standin.fixture("createAgent", "request"), "emailId": "ada@example.com"}
    status, created = call("mine", "POST", "agents", agent)
    if status != 200 or listed("mine") != ["ada@example.com"] or listed("other") != []:
        standin.fail(f"after a create: {status}, {listed('mine')} and {listed('other')}")
    one = f"agents/{created['id']}"
    changed = {**standin.fixture("updateAgent", "request"), "emailId": "king@example.com"}
    status, _ = call("mine", "PUT", f"{one}?groupId=ag-1", changed)
    if status != 200 or listed("mine") != ["king@example.com"] or call("mine", "GET", one)[1]["emailId"] != "king@example.com":
        standin.fail(f"after a change: {status}, {listed('mine')}")
    if call("other", "GET", one)[0] != 404 or call("other", "DELETE", one)[0] != 404:
        standin.fail("another session sees the agent")
    if call("mine", "DELETE", one)[0] != 200 or listed("mine") != [] or call("mine", "GET", one)[0] != 404:
        standin.fail(f"after a delete: {listed('mine')}")
    # By the header it is the same session.
    named = fetch(f"{url}/agentassist/api/v1/public/st-1/agents", "POST", json.dumps(agent), {**headers, "X-Standin-Session": "other"})
    if named["status"] != 200 or listed("other") != ["ada@example.com"] or listed("mine") != []:
        standin.fail(f"by the header: {named}")


def main():
    document = standin.document()
    headers = standin.headers()
    with standin.serving() as url, page() as origin, driver() as started, browser(started) as session:
        command(f"{session}/url", "POST", {"url": origin})

        def fetch(target, method, body, headers, **more):
            options = {"method": method, "body": body, "headers": headers, **more}
            reply = command(f"{session}/execute/async", "POST", {"script": FETCH, "args": [target, options]})
            if "error" in reply:
                standin.fail(f"{method} {target}: the page got {reply['error']}")
            return reply

        for path, method, operation in standin.operations(document):
            name = operation["operationId"]
            pairs = "&".join(f"{key}={value}" for key, value in standin.query(operation, document).items())
            target = f"{url}{standin.filled(path)}?{pairs}"
            samples = [json.dumps(sample) for sample in standin.samples(operation).values()]
            sample = samples[0] if samples else None
            for what, body, sent, status in [
                ("sample", sample, headers, 200),
                *([("refusal", "{", headers, 412)] if samples else []),
                ("no token", sample, {"Content-Type": "application/json"}, 401),
                ("prefer", sample, {**headers, "Prefer": "code=429"}, 429),
            ]:
                reply = fetch(target, method.upper(), body, sent)
                if reply["status"] != status:
                    standin.fail(f"{name}, {what}: expected {status}, but found {reply['status']}: {reply['text'][:300]}")
                if not reply["headers"].get("x-standin-exchange", "").isdigit():
                    standin.fail(f"{name}, {what}: the page cannot read X-Standin-Exchange: {reply['headers']}")
                if status != 200 and "errors" not in json.loads(reply["text"]):
                    standin.fail(f"{name}, {what}: the page cannot read the refusal: {reply['text'][:300]}")
                included = fetch(target, method.upper(), body, sent, credentials="include")
                if (included["status"], included["text"]) != (status, reply["text"]):
                    standin.fail(f"{name}, {what}: with credentials it is another reply: {included}")
                if not included["headers"].get("x-standin-exchange", "").isdigit():
                    standin.fail(f"{name}, {what}: with credentials the headers cannot be read: {included['headers']}")
            limited = fetch(target, method.upper(), sample, {**headers, "Prefer": "code=429"}, credentials="include")["headers"]
            for header in ("preference-applied", "retry-after"):
                if header not in limited:
                    standin.fail(f"{name}: the page cannot read {header}")
            print(f"{name}: called from another origin, refusals and headers are readable")

        allow = fetch(f"{url}/agentassist/api/v1/public/st-1/agents", "DELETE", None, headers)
        if allow["status"] != 405 or "POST" not in allow["headers"].get("allow", ""):
            standin.fail(f"another method: expected 405 with Allow, but found {allow}")
        for open_call in ("openapi.json", "ledger"):
            if fetch(f"{url}/__standin/{open_call}", "GET", None, {})["status"] != 200:
                standin.fail(f"a page of another origin cannot read {open_call}")
        script = FETCH.replace("fetch(url, options)", "fetch(url)")
        control = command(f"{session}/execute/async", "POST", {"script": script, "args": [f"{url}/__standin/requests", {}]})
        if "error" not in control:
            standin.fail("a page of another origin can read the journal")
        print("the control API stays closed to pages of other origins, but for the document and the ledger")

        with standin.serving("--state") as stateful:
            app(fetch, stateful, headers)
        print("what a page makes it can list, change and delete; a second session sees none of it")

        with standin.serving("--origin", "http://app.test") as narrowed:
            script = FETCH.replace("fetch(url, options)", "fetch(url, {method: 'POST', body: '{}'})")
            target = f"{narrowed}/agentassist/api/v1/public/st-1/agents"
            reply = command(f"{session}/execute/async", "POST", {"script": script, "args": [target, {}]})
            if "error" not in reply:
                standin.fail(f"a page that --origin leaves out got {reply}")
        print("--origin keeps other pages out")

        command(f"{session}/url", "POST", {"url": f"{url}/__standin/"})
        if "requests/verify" not in command(f"{session}/execute/sync", "POST", {"script": "return document.body.innerText", "args": []}):
            standin.fail("the list of calls is no page")
        print("the list of calls is a page")


main()

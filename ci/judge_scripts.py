"""Do clients that try again come through what scripts do to their replies?

axios with axios-retry, undici's fetch in a loop, and requests of Python with that of urllib3 send requests while a
script resets connections, answers 429 or fails now and then. All of them end in success, and the journal has what was in
their way.
"""

import json
import pathlib
import subprocess

import requests
import requests.adapters
import urllib3

import standin

SEED = "7"
PATH = "/agentassist/api/v1/public/st-d2aa65cc-a2d2-5b6d-84d7-861509e2xxxx/agents"
JSON = {"Content-Type": "application/json"}
ATTEMPTS = 8

# The scripts, how many requests are sent, and how many exchanges were in the way: of them so many at least.
CASES = {
    "reset": ([{"times": 2, "then": {"fault": "reset"}}], 1, 2),
    "close": ([{"times": 2, "then": {"fault": "close"}}], 1, 2),
    "429": ([{"times": 2, "then": {"reply": {"status": 429, "headers": {"Retry-After": "0"}}}}], 1, 2),
    "flaky": ([{"preset": "flaky"}], 200, 5),
}


def by_requests(request, count):
    session = requests.Session()
    session.trust_env = False
    retry = urllib3.Retry(total=ATTEMPTS - 1, status_forcelist=[429, 500], allowed_methods=None)
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retry))
    for _ in range(count):
        try:
            sent = {"headers": request["headers"], "data": request["body"], "timeout": 20}
            yield session.request(request["method"], request["url"], **sent).status_code
        except requests.RequestException as error:
            yield repr(error)


def by_node(client):
    def send(request, count):
        script = pathlib.Path(__file__).with_name("retry.mjs")
        done = subprocess.run(
            ["node", script, client, str(count)], input=json.dumps(request), capture_output=True, text=True, timeout=300
        )
        if done.returncode != 0:
            standin.fail(f"node ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    return send


CLIENTS = {"axios": by_node("axios"), "undici": by_node("undici"), "requests": by_requests}


def judge(url, client, name):
    scripts, count, least = CASES[name]
    control = f"{url}/__standin"
    status, _, body = standin.call(f"{control}/scripts", "PUT", {"scripts": scripts}, JSON)
    if status >= 300:
        standin.fail(f"the scripts of {name} are refused with {status}: {body.decode()}")
    standin.call(f"{control}/requests", "DELETE", headers=JSON)
    headers = JSON | {"auth": standin.run("token").strip(), "accountId": standin.ACCOUNT}
    body = json.dumps(standin.fixture("createAgent", "request"))
    statuses = list(CLIENTS[client]({"method": "POST", "url": url + PATH, "headers": headers, "body": body}, count))
    _, _, export = standin.call(f"{control}/export?format=ndjson")
    exchanges = [json.loads(line) for line in export.decode().splitlines()]
    hindered = [exchange for exchange in exchanges if "scripted" in exchange]
    if statuses != [200] * count:
        standin.fail(f"{client}, {name}: expected {count} successes, but found {[s for s in statuses if s != 200][:5]}")
    if len(hindered) < least:
        standin.fail(f"{client}, {name}: expected at least {least} scripted exchanges, but found {len(hindered)}")
    if len(exchanges) != count + len(hindered):
        standin.fail(f"{client}, {name}: {len(exchanges)} exchanges for {count} requests and {len(hindered)} scripted ones")
    print(f"{client} comes through {name}: {count} requests, {len(hindered)} in the way")


def main():
    with standin.serving("--seed", SEED) as url:
        for client in CLIENTS:
            for name in CASES:
                judge(url, client, name)


if __name__ == "__main__":
    main()

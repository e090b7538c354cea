"""Do the README's examples run as pasted, with the real curl and the real fetch?"""

import json
import os
import pathlib
import re
import subprocess

import standin

README = pathlib.Path("README.md").read_text(encoding="utf-8")


def block(name):
    found = re.search(rf"^```\w+ {name}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    if not found:
        standin.fail(f"the README has no block called {name}")
    return found.group(1)


def run(command, script, url):
    script = script.replace("http://127.0.0.1:8484", url)
    path = f"{pathlib.Path(standin.BINARY).resolve().parent}:{os.environ['PATH']}"
    listen = url.removeprefix("http://")
    environment = {**os.environ, "PATH": path, "STANDIN_LISTEN": listen, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run([*command, script], capture_output=True, text=True, timeout=60, env=environment)
    if done.returncode != 0:
        standin.fail(f"{script}\nended with {done.returncode}: {done.stderr}")
    return done.stdout


def main():
    expected = json.loads(pathlib.Path("fixtures/createAgent/response.json").read_text(encoding="utf-8"))
    with standin.serving() as url:
        reply = json.loads(run(["bash", "-ec"], block("first-call").replace("curl ", "curl -sS "), url))
        if reply != expected:
            standin.fail(f"the first call got {reply}")
        print("first-call: the page's sample reply")

        output = run(["node", "--input-type=module", "-e"], block("fetch"), url)
        if not output.startswith("200 2 "):
            standin.fail(f"the fetch example printed {output}")
        print("fetch: 200, and the exchange's number is readable")

        for line in block("control").strip().splitlines():
            run(["bash", "-ec"], line.replace("curl ", "curl -sS --fail-with-body ", 1), url)
        print("control: every command answers with success")

    with standin.serving("--state") as url:
        lines = run(["bash", "-ec"], block("app"), url).splitlines()
        read, listed, updated, again, deleted, gone = [json.loads(line) for line in lines]
        sample = standin.fixture("updateAgent", "request")["emailId"]
        if read["emailId"] != "ada@example.com" or [agent["id"] for agent in listed["results"]] != [read["id"]]:
            standin.fail(f"the app got {read} and {listed}")
        if again["emailId"] != sample or again["id"] != read["id"] or gone["errors"][0]["code"] != 404:
            standin.fail(f"the app got {updated}, {again}, {deleted} and {gone}")
        print("app: what is created is listed, changed and deleted")

        first, second, third, fourth, *table = run(["bash", "-ec"], block("sessions"), url).splitlines()
        if any(len(json.loads(listed)["results"]) != 1 for listed in (second, fourth)):
            standin.fail(f"the sessions got {second} and {fourth}")
        if [line.split()[0] for line in table] != ["session", "default", "suite-1", "suite-2"]:
            standin.fail(f"standin state list printed {table}")
        print("sessions: two of them see nothing of each other")


main()

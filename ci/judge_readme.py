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
    environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
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


main()

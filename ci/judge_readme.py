"""Does what the README and the pages beside it say work when it is pasted?

Their blocks go, in order, into one shell in an empty folder, with the program on the path; only what needs a clone or a
container engine is left out. Then the steps of the pipeline are run, as a build server does.
"""

import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile

import standin
import yaml

PAGES = ["README.md", "docs/verify.md", "docs/generate.md", "docs/serve.md", "docs/control.md", "docs/state.md", "docs/scripts.md"]
# What has been done already where the program is on the path, and what nobody can do here.
LEFT_OUT = ("cargo ", "podman ")
VERIFY = pathlib.Path(os.environ["STANDIN_VERIFY"]).absolute()
MARK = "-- block "
NODE = pathlib.Path(os.environ["NODE_PATH"]).absolute()


def main():
    expected = standin.fixture("createAgent")
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, "node_modules").symlink_to(NODE)
        program = pathlib.Path(folder, "bin", "standin")
        program.parent.mkdir()
        program.symlink_to(VERIFY)
        pages = "".join(pathlib.Path(page).read_text(encoding="utf-8") for page in PAGES)
        blocks = re.findall(r"^```(\w+) ?([\w-]*)\n(.*?)^```$", pages, re.MULTILINE | re.DOTALL)
        script = ["set -euo pipefail"]
        for number, (language, name, text) in enumerate(blocks):
            if language == "js":
                text = f"node --input-type=module - <<'END'\n{text}END\n"
            elif language != "sh" or text.startswith(LEFT_OUT):
                continue
            # A refusal is an answer, too; what answers with anything else has a name.
            failing = "" if name in ("refused-call", "forced-error") else "--fail-with-body"
            text = re.sub("^curl ", f"curl -sS {failing} ", text, flags=re.MULTILINE)
            script.append(f"echo '{MARK}{name or number}'\n{text}")
        # The server of the first block is needed to the last one.
        stop = next(part for part in script if f"{MARK}stop'" in part)
        script.remove(stop)
        said = run(folder, "\n".join([*script, stop]))
        parts = dict(part.split("\n", 1) for part in said.split(MARK)[1:])
        if json.loads(parts["first-call"]) != expected:
            standin.fail(f"the first call got {parts['first-call']}")
        if not parts["fetch"].startswith("200 "):
            standin.fail(f"the fetch example printed {parts['fetch']}")
        read, listed, _, again, _, gone = [json.loads(line) for line in parts["app"].splitlines()]
        if [agent["id"] for agent in listed["results"]] != [read["id"]] or again["emailId"] != "king@example.com":
            standin.fail(f"the app got {read}, {listed} and {again}")
        if gone["errors"][0]["code"] != 404:
            standin.fail(f"what was deleted is {gone}")
        lines = parts["sessions"].splitlines()
        if any(len(json.loads(line)["results"]) != 1 for line in (lines[1], lines[3])):
            standin.fail(f"the sessions got {lines}")
        attempts = parts["retried"].splitlines()[1:4]
        if ["errors" in json.loads(line) for line in attempts] != [True, True, False]:
            standin.fail(f"the retry got {attempts}")
        print(f"README: {len(parts)} blocks, pasted in order into one shell: {', '.join(parts)}")

        pipeline = next(text for language, name, text in blocks if name == "pipeline")
        tests = {"scripts": {"test": "node --input-type=module < test.mjs"}}
        pathlib.Path(folder, "package.json").write_text(json.dumps(tests), encoding="utf-8")
        fetch = next(text for _, name, text in blocks if name == "fetch")
        fetch = fetch.replace('"http://127.0.0.1:8484/', 'process.env.API_URL + "/')
        pathlib.Path(folder, "test.mjs").write_text(fetch, encoding="utf-8")
        pathlib.Path(folder, "journal.ndjson").unlink()
        for step in yaml.safe_load(pipeline)["steps"]:
            if not step["run"].startswith(LEFT_OUT):
                said = run(folder, "set -e\n" + step["run"], **step.get("env", {}))
        if "createAgent" not in said:
            standin.fail(f"the pipeline's last step printed {said}")
        print("pipeline: each step ends well, and the last one shows the journal")



def free_address():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"127.0.0.1:{listener.getsockname()[1]}"


# In place of the usual ones, which may be taken.
ADDRESSES = {"127.0.0.1:8484": free_address(), "127.0.0.1:8485": free_address()}


def moved(text):
    for usual, free in ADDRESSES.items():
        text = text.replace(usual, free)
    return text


def run(folder, script, **variables):
    variables = {name: moved(value) for name, value in variables.items()}
    path = f"{folder}/bin{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **variables, "STANDIN_LISTEN": moved("127.0.0.1:8484"), "PATH": path, "PACT_DO_NOT_TRACK": "true"}
    environment |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    with open(pathlib.Path(folder, "said.txt"), "w+", encoding="utf-8") as said:
        # Into a file, as a server that goes on would keep a pipe open.
        done = subprocess.run(
            ["bash"], input=moved(script), stdout=said, stderr=subprocess.STDOUT, text=True, timeout=120, env=environment, cwd=folder
        )
        said.seek(0)
        text = said.read()
    if done.returncode != 0:
        standin.fail(f"{text[-3000:]}\nended with {done.returncode}")
    return text


try:
    main()
finally:
    # What failed may have left a server behind; where there is none, the command says so.
    for address in ADDRESSES.values():
        subprocess.run([VERIFY, "stop", address], capture_output=True)

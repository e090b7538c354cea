"""Schemathesis reads the published document, calls the server by it, and judges the replies by it.

Once each operation by itself, against samples; once what is made is read, changed and deleted along the document's
links, against a server with state.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

import standin

CONFIG = pathlib.Path(__file__).with_name("schemathesis.toml").resolve()


def judge(flags, document, phases, examples):
    with standin.serving(*flags) as url, tempfile.TemporaryDirectory() as folder:
        schema = pathlib.Path(folder, "openapi.json")
        schema.write_text(standin.run("contract", "openapi", *document), encoding="utf-8")
        command = [
            "st", "--config-file", str(CONFIG), "run", str(schema),
            "--url", url,
            "--checks", "all",
            "--phases", phases,
            "--max-examples", os.environ.get("EXAMPLES", examples),
            "--seed", "1",
            "--header", f"auth: {standin.token()}",
            "--no-color",
        ]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        # Its data base of earlier examples belongs into the folder that goes away.
        done = subprocess.run(command, cwd=folder, env=environment, timeout=600)
        if done.returncode != 0:
            sys.exit(done.returncode)


def main():
    judge([], [], "examples,coverage,fuzzing", "30")
    judge(["--state"], ["--state"], "stateful", "100")


main()

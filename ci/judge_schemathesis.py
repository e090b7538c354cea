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

HERE = pathlib.Path(__file__).parent


def judge(config, flags, document, phases):
    with standin.serving(*flags) as url, tempfile.TemporaryDirectory() as folder:
        schema = pathlib.Path(folder, "openapi.json")
        schema.write_text(standin.run("contract", "openapi", *document), encoding="utf-8")
        command = [
            "st", "--config-file", str(HERE.resolve() / config), "run", str(schema),
            "--url", url,
            "--checks", "all",
            "--phases", phases,
            "--max-examples", os.environ.get("EXAMPLES", "30"),
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
    judge("schemathesis.toml", [], [], "examples,coverage,fuzzing")
    judge("schemathesis-state.toml", ["--state"], ["--state"], "stateful")


main()

"""Schemathesis reads the published document, calls the server by it, and judges the replies by it."""

import os
import pathlib
import subprocess
import sys
import tempfile

import standin

CONFIG = pathlib.Path(__file__).with_name("schemathesis.toml")


def main():
    with standin.serving() as url, tempfile.TemporaryDirectory() as folder:
        schema = pathlib.Path(folder, "openapi.json")
        schema.write_text(standin.run("contract", "openapi"), encoding="utf-8")
        command = [
            "st", "--config-file", str(CONFIG), "run", str(schema),
            "--url", url,
            "--checks", "all",
            "--max-examples", os.environ.get("EXAMPLES", "30"),
            "--seed", "1",
            "--header", f"auth: {standin.token()}",
            "--no-color",
        ]
        environment = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        # Its data base of earlier examples belongs into the folder that goes away.
        done = subprocess.run(command, cwd=folder, env=environment, timeout=600)
    sys.exit(done.returncode)


main()

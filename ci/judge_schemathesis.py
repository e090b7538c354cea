"""Schemathesis reads the published document, calls the server by it, and judges the replies by it."""

import os
import pathlib
import subprocess
import sys
import tempfile

import standin

# What the stand-in does not promise: it accepts each documented variant, and unknown members, on purpose,
# and has no state, so nothing can be said about an agent that was created.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,unsupported_method,ignored_auth"


def main():
    with standin.serving() as url, tempfile.TemporaryDirectory() as folder:
        schema = pathlib.Path(folder, "openapi.json")
        schema.write_bytes(standin.call(f"{url}/__standin/openapi.json")[2])
        command = [
            "st", "run", str(schema),
            "--url", url,
            "--checks", CHECKS,
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

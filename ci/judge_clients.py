"""Do client generators make something of the document for generators, and does what they make work?"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import standin

HERE = pathlib.Path(__file__).parent / "clients"
FOLDER = pathlib.Path("target/judges/clients").absolute()
NODE = pathlib.Path(os.environ["NODE_PATH"]).absolute()


def main():
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    document = FOLDER / "agentassist.json"
    document.write_text(standin.run("contract", "openapi", "--for", "generators"), encoding="utf-8")
    token = standin.run("token").strip()
    wanted = {
        "statuses": [200, 200, 200, 412],
        "created": standin.fixture("createAgent")["emailId"],
        "updated": standin.fixture("updateAgent")["firstName"],
        "refused": "/body/emailId",
    }
    with standin.serving() as url:
        for name, make in {"openapi-typescript": typescript, "openapi-python-client": python}.items():
            said = run(*make(document), url, token)
            if json.loads(said) != wanted:
                standin.fail(f"the client made by {name} saw {said}, not {json.dumps(wanted)}")
            print(f"{name}: creates, updates, imports, and reads a refusal by its type")


def typescript(document):
    """The command that runs the client made by openapi-typescript, once the types are checked."""
    for name in ("client.ts",):
        shutil.copy(HERE / name, FOLDER)
    (FOLDER / "node_modules").symlink_to(NODE)
    run(NODE / ".bin/openapi-typescript", document, "-o", FOLDER / "api.d.ts")
    flags = ["--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node", "--outDir", FOLDER]
    flags += ["--typeRoots", NODE / "@types"]
    run(NODE / ".bin/tsc", *flags, FOLDER / "client.ts")
    return ["node", FOLDER / "client.js"]


def python(document):
    """The command that runs the client made by openapi-python-client."""
    tool = pathlib.Path(sys.executable).with_name("openapi-python-client")
    run(tool, "generate", "--path", document, "--output-path", FOLDER / "agentassist", "--meta", "none")
    shutil.copy(HERE / "client.py", FOLDER)
    return [sys.executable, FOLDER / "client.py"]


def run(*command):
    path = f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=120, env=environment
    )
    if done.returncode != 0:
        standin.fail(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


main()

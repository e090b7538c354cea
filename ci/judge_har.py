"""Do the exports keep to HAR 1.2, by the schemas of npm's har-validator?"""

import json
import os
import pathlib
import subprocess
import tempfile

import standin

VALIDATE = """
const har = JSON.parse(require("fs").readFileSync(0, "utf8"));
require("har-validator").har(har).then(
  () => process.exit(0),
  (error) => { console.error(JSON.stringify(error.errors ?? String(error), null, 2)); process.exit(1); },
);
"""


def validate(har, where):
    done = subprocess.run(["node", "-e", VALIDATE], input=json.dumps(har), text=True, env=os.environ)
    if done.returncode != 0:
        standin.fail(f"{where} is not HAR 1.2")
    print(f"{where}: HAR 1.2, {len(har['log']['entries'])} entries")


def main():
    document = standin.document()
    headers = standin.headers()
    with standin.serving() as url:
        for path, method, operation in standin.operations(document):
            pairs = "&".join(f"{name}={value}" for name, value in standin.query(operation, document).items())
            target = f"{url}{standin.filled(path)}?{pairs}"
            for body in [*standin.samples(operation).values(), {}, b"not JSON", b"\xff\xfe\x00"]:
                standin.call(target, method.upper(), body, headers)
            standin.call(target, method.upper(), {}, {"Content-Type": "text/plain", "cookie": "a=b; c"})
        standin.call(f"{url}/nowhere?x=%zz&&=&y", "PATCH")
        har = json.loads(standin.call(f"{url}/__standin/export?format=har")[2])
        ndjson = standin.call(f"{url}/__standin/export?format=ndjson")[2]
    if not har["log"]["entries"]:
        standin.fail("the export is empty")
    if standin.token() in json.dumps(har):
        standin.fail("the export has a token in it")
    validate(har, "the control API's export")
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "journal.ndjson")
        file.write_bytes(ndjson)
        validate(json.loads(standin.run("journal", str(file), "--as", "har")), "standin journal --as har")


main()

"""Do client generators make something of the document for generators, and does what they make work?

Each client creates, updates and imports, and reads a refusal by its type: `ci/clients`. With names, those are asked.
"""

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
TOOLS = pathlib.Path(sys.executable).parent
TSC = ["--strict", "--skipLibCheck", "--esModuleInterop", "--target", "es2022", "--module", "nodenext", "--types", "node"]
# Marks what is generated; no JDK since 11 has it. The Debian package is libgeronimo-annotation-1.3-spec-java.
ANNOTATIONS = pathlib.Path("/usr/share/java/geronimo-annotation-1.3-spec.jar")


def main(names):
    document = standin.run("contract", "openapi", "--for", "generators")
    token = standin.run("token").strip()
    wanted = {
        "statuses": [200, 200, 200, 412],
        "created": standin.fixture("createAgent")["emailId"],
        "updated": standin.fixture("updateAgent")["firstName"],
        "refused": "/body/emailId",
    }
    with standin.serving() as url:
        for name in names:
            folder = FOLDER / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / "api.json").write_text(document, encoding="utf-8")
            (folder / "node_modules").symlink_to(NODE)
            for shared in HERE.glob("bodies.*"):
                shutil.copy(shared, folder)
            if name == "postman":
                print(f"postman: newman sends {postman(folder, url, token)} requests, and all are answered")
                continue
            said = run(folder, *MAKERS[name](folder), url, token)
            if json.loads(said) != wanted:
                standin.fail(f"the client made by {name} saw {said}, not {json.dumps(wanted)}")
            print(f"{name}: creates, updates, imports, and reads a refusal by its type")


# Each makes a client, and is the command that runs it.


def openapi_typescript(folder):
    run(folder, NODE / ".bin/openapi-typescript", "api.json", "-o", "api.d.ts")
    return typescript(folder, "openapi-typescript")


def openapi_python_client(folder):
    run(folder, TOOLS / "openapi-python-client", "generate", "--path", "api.json", "--output-path", "api", "--meta", "none")
    return python(folder, "openapi-python-client")


def hey_api(folder):
    run(folder, NODE / ".bin/openapi-ts", "-i", "api.json", "-o", "api")
    return typescript(folder, "hey-api")


def orval(folder):
    for client, output in {"fetch": "api.ts", "zod": "zod.ts"}.items():
        run(folder, NODE / ".bin/orval", "--input", "api.json", "--output", output, "--client", client)
    return typescript(folder, "orval")


def typescript_axios(folder):
    generator(folder, "typescript-axios", "-o", "api")
    return typescript(folder, "typescript-axios")


def generator_python(folder):
    generator(folder, "python", "-o", ".", "--package-name", "api")
    return python(folder, "openapi-generator")


def generator_java(folder):
    generator(folder, "java", "-o", "api", "--library", "native", "--additional-properties", "openApiNullable=false")
    shutil.copy(HERE / "Client.java", folder)
    # What the client needs of Jackson, the generator has within.
    jar = next(TOOLS.parent.glob("lib/*/site-packages/openapi_generator_cli/*.jar"))
    path = os.pathsep.join(map(str, [jar, ANNOTATIONS, "classes"]))
    sources = [*folder.glob("api/src/main/**/*.java"), "Client.java"]
    run(folder, "javac", "-nowarn", "-d", "classes", "-cp", path, *sources)
    return ["java", "-cp", path, "Client"]


MAKERS = {
    "openapi-typescript": openapi_typescript,
    "openapi-python-client": openapi_python_client,
    "hey-api": hey_api,
    "orval": orval,
    "typescript-axios": typescript_axios,
    "openapi-generator-python": generator_python,
    "openapi-generator-java": generator_java,
}


def generator(folder, kind, *options):
    run(folder, TOOLS / "openapi-generator-cli", "generate", "-i", "api.json", "-g", kind, *options)


def typescript(folder, name):
    """The command that runs the client, once the types are checked."""
    shutil.copy(HERE / f"{name}.ts", folder)
    run(folder, NODE / ".bin/tsc", *TSC, "--typeRoots", NODE / "@types", "--outDir", "out", f"{name}.ts")
    return ["node", f"out/{name}.js"]


def python(folder, name):
    shutil.copy(HERE / f"{name}.py", folder)
    return [sys.executable, f"{name}.py"]


def postman(folder, url, token):
    """How many requests Postman's converter makes of the document; newman sends each of them."""
    from_examples = ["-O", "parametersResolution=Example"]
    run(folder, NODE / ".bin/openapi2postmanv2", "-s", "api.json", "-o", "collection.json", *from_examples)
    variables = [option for pair in (f"baseUrl={url}", f"apiKey={token}") for option in ("--env-var", pair)]
    report = ["--reporters", "json", "--reporter-json-export", "report.json"]
    run(folder, NODE / ".bin/newman", "run", "collection.json", *variables, *report)
    sent = json.loads((folder / "report.json").read_text(encoding="utf-8"))["run"]["executions"]
    for one in sent:
        if one["response"]["code"] != 200:
            standin.fail(f"newman sent {one['item']['name']} and got {one['response']['code']}")
    if len(sent) != len(list(standin.operations(standin.document()))):
        standin.fail(f"the collection has {len(sent)} requests")
    return len(sent)


def run(folder, *command):
    path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=300, env=environment, cwd=folder
    )
    if done.returncode != 0:
        standin.fail(f"{command[0]} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


main(sys.argv[1:] or ["openapi-typescript", "openapi-python-client"])

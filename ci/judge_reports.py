"""Do the reports of `standin fuzz` keep to their formats, and do its curl lines and files repeat what it found?

The server that it is set on checks nothing, so that every rule of the contract is a finding; the one that has been mended
is the usual one. SARIF is judged by its own schema, HAR by npm's har-validator, commands by curl.
"""

import html.parser
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema

import standin

SCHEMA = "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json"

HAR = """
const har = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
require("har-validator").har(har).then(
  () => process.exit(0),
  (error) => { console.error(JSON.stringify(error.errors ?? String(error), null, 2)); process.exit(1); },
);
"""

KINDS = ["har", "html", "json", "junit", "ndjson", "sarif"]
OPERATIONS = ["--operation", "createAgent", "--operation", "updateAgent", "--stateful"]


class Page(html.parser.HTMLParser):
    """A page that is closed properly and asks for nothing."""

    VOID = {"meta", "rect"}

    def __init__(self, text):
        super().__init__()
        self.open = []
        self.feed(text)
        if self.open:
            standin.fail(f"the page leaves {self.open} open")

    def handle_starttag(self, tag, attributes):
        names = {name for name, _ in attributes}
        if tag in {"script", "link", "img", "iframe", "object"} or names & {"src", "href", "onclick", "onload"}:
            standin.fail(f"the page has <{tag} {attributes}>")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            standin.fail(f"the page closes {tag} where it is not open")


def fuzz(url, folder, *arguments):
    """The exit code, and where the reports are."""
    reports = {kind: folder / f"report.{kind}" for kind in KINDS}
    flags = [flag for kind, file in reports.items() for flag in ("--report", f"{kind}={file}")]
    command = [standin.BINARY, "fuzz", url, *OPERATIONS, *flags, "--findings", str(folder / "findings"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode not in (0, 1):
        standin.fail(f"standin fuzz ended with {done.returncode}: {done.stderr}")
    return done, {kind: file.read_text(encoding="utf-8") for kind, file in reports.items()}


def replay(url, file):
    return subprocess.run([standin.BINARY, "fuzz", url, "--replay", str(file)], capture_output=True, text=True).returncode


def formats(reports, folder):
    outcome = json.loads(reports["json"])
    if len(outcome["findings"]) < 20:
        standin.fail(f"a server that checks nothing has {len(outcome['findings'])} findings")

    schema = json.loads(pathlib.Path(os.environ["NODE_PATH"], SCHEMA).read_text(encoding="utf-8"))
    sarif = json.loads(reports["sarif"])
    errors = list(jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).iter_errors(sarif))
    if errors:
        standin.fail(f"the SARIF is none: {errors[0].json_path}: {errors[0].message[:300]}")
    results = sarif["runs"][0]["results"]
    prints = [result["partialFingerprints"]["standinFinding/v1"] for result in results]
    if len(set(prints)) != len(prints) or len(prints) != len(outcome["findings"]) + len(outcome["flaky"]):
        standin.fail("the fingerprints are not one for each finding")
    print(f"SARIF 2.1.0 with {len(results)} results")

    if subprocess.run(["node", "-e", HAR, str(folder / "report.har")], env=os.environ).returncode != 0:
        standin.fail("the HAR is none")
    entries = json.loads(reports["har"])["log"]["entries"]
    lines = [json.loads(line) for line in reports["ndjson"].splitlines()]
    if len(entries) != len(lines) or not all({"label", "sent", "answer", "verdicts"} <= line.keys() for line in lines):
        standin.fail(f"there are {len(entries)} entries and {len(lines)} lines, or they lack something")
    print(f"HAR 1.2 and ndjson with {len(lines)} trials each")

    suites = xml.etree.ElementTree.fromstring(reports["junit"])
    if int(suites.get("failures")) != len(suites.findall(".//failure")) or not suites.findall(".//failure"):
        standin.fail("the JUnit XML does not count its failures")
    page = Page(reports["html"])
    if page.open or any(finding["fingerprint"] not in reports["html"] for finding in outcome["findings"]):
        standin.fail("the page lacks a finding")
    print(f"JUnit with {suites.get('failures')} failures; a page that needs nothing else")
    return outcome, results


def repeated(url, outcome, results):
    """Each command has the status that its finding has, as long as nothing else has taken its place."""
    token = standin.token()
    status = {finding["fingerprint"]: finding["answer"]["reply"]["status"] for finding in outcome["findings"]}
    count = 0
    for result in results:
        script = result["properties"]["curl"]
        # What is flaky is open.
        if result["kind"] != "fail" or script.endswith("--replay can'"):
            continue
        shell = ["sh", "-c", script + " -o /dev/null -w '%{http_code}'"]
        done = subprocess.run(shell, capture_output=True, text=True, env={**os.environ, "STANDIN_TOKEN": token})
        expected = status[result["partialFingerprints"]["standinFinding/v1"]]
        if done.stdout[-3:] != str(expected):
            standin.fail(f"expected {expected}, but found {done.stdout} {done.stderr} for\n{script}")
        count += 1
    print(f"{count} commands, run by a shell, repeat what was found")


def main():
    with tempfile.TemporaryDirectory() as name, standin.serving("--checks", "off", "--state") as broken, standin.serving("--state") as mended:
        folder = pathlib.Path(name)
        done, reports = fuzz(broken, folder, "--seed", "1")
        if done.returncode != 1:
            standin.fail(f"a server that checks nothing passes: {done.stdout}")
        outcome, results = formats(reports, folder)
        for kind, text in [*reports.items(), ("output", done.stdout + done.stderr)]:
            if standin.token().rsplit(".", 1)[1] in text:
                standin.fail(f"a token is in the {kind}")
        repeated(broken, outcome, results)

        files = sorted((folder / "findings").iterdir())
        if len(files) != len(outcome["findings"]):
            standin.fail(f"there are {len(files)} files for {len(outcome['findings'])} findings")
        for file in [*files[:3], folder / "report.json"]:
            if replay(broken, file) != 1:
                standin.fail(f"{file.name} does not fail again")
            if replay(mended, file) != 0:
                standin.fail(f"{file.name} is not fixed by a server without the fault")
        print("files say that it still fails, and that it is fixed where it is")

        before = folder / "before.json"
        before.write_text(reports["json"], encoding="utf-8")
        done, again = fuzz(broken, folder, "--seed", "2", "--baseline", str(before))
        now = json.loads(again["json"])
        prints = [{finding["fingerprint"] for finding in run["findings"]} for run in (outcome, now)]
        if done.returncode != 0 or prints[0] != prints[1]:
            standin.fail(f"another seed has other findings: {prints[0] ^ prints[1]}")
        done, again = fuzz(mended, folder, "--baseline", str(before))
        gone = json.loads(again["json"]).get("gone", [])
        if done.returncode != 0 or {finding["fingerprint"] for finding in gone} != prints[0]:
            standin.fail(f"a mended server has other faults: {done.stdout}")
        print(f"{len(prints[0])} findings are known by a baseline, and gone from a mended server")


sys.exit(main())

"""Does Pact's verifier for JavaScript agree with ours, on the committed pacts and on one from traffic?"""

import json
import os
import pathlib
import subprocess
import tempfile

import standin

PACTS = pathlib.Path("contracts/pacts")
VERIFIER = os.environ.pop("STANDIN_VERIFY", standin.BINARY)
SECRET = "s3cret"
CONTROL = "c0ntrol"
OTHER = {
    "streamId": "st-other",
    "botId": "st-other",
    "instanceBotId": "st-other",
    "accountId": "acc-other",
    "agentId": "a-other",
    "groupId": "ag-other",
    "orgId": "o-other",
    "emailId": "other@example.com",
    "roleId": "ro-other",
}
VERIFY = """
const { Verifier } = require("@pact-foundation/pact");
const { url, pacts, states } = JSON.parse(require("fs").readFileSync(0, "utf8"));
new Verifier({
  provider: "agentassist",
  providerBaseUrl: url,
  providerStatesSetupUrl: states,
  pactUrls: pacts,
  logLevel: "warn",
}).verifyProvider().then(
  (output) => { console.log(output); process.exit(0); },
  (error) => { console.log(String(error)); process.exit(1); },
);
"""


def states(url, token):
    return f"{url}/__standin/provider-states?token={token}"


def judge(url, pacts, states_url):
    """Whether Pact's verifier for JavaScript is content, and what it says."""
    order = json.dumps({"url": url, "pacts": [str(path) for path in pacts], "states": states_url})
    done = subprocess.run(["node", "-e", VERIFY], input=order, capture_output=True, text=True, timeout=120)
    return done.returncode == 0, done.stdout + done.stderr


def ours(url, *arguments):
    done = subprocess.run([VERIFIER, "verify", url, *arguments], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def expect(what, held, output):
    if not held:
        standin.fail(f"{what}\n{output}")
    print(what)


def traffic(url):
    """Every sample and some refusals, and the contract that comes out of them."""
    document = standin.document()
    headers = standin.headers()
    for path, method, operation in standin.operations(document):
        pairs = "&".join(f"{name}={value}" for name, value in standin.query(operation, document).items())
        target = f"{url}{standin.filled(path)}?{pairs}"
        for body in [*standin.samples(operation).values(), {}, b"not JSON"]:
            standin.call(target, method.upper(), body, headers)
        standin.call(target, method.upper(), {}, {"Content-Type": "application/json"})
    control = {"Authorization": f"Bearer {CONTROL}"}
    export = standin.call(f"{url}/__standin/export?format=pact", headers=control)[2].decode()
    if headers["auth"] in export:
        standin.fail("the contract from traffic has a token in it")
    return export


def main():
    committed = sorted(PACTS.glob("*.json"))
    with standin.serving("--control-token", CONTROL) as url:
        held, output = judge(url, committed, states(url, CONTROL))
        expect("the committed pacts hold, says Pact's verifier for JavaScript", held, output)
        held, output = judge(url, committed, states(url, "wrong"))
        expect("they do not when the provider refuses the states", not held, output)
        with tempfile.TemporaryDirectory() as folder:
            exported = pathlib.Path(folder, "exported.json")
            exported.write_text(traffic(url), encoding="utf-8")
            held, output = judge(url, [exported], states(url, CONTROL))
            expect("so does the contract from traffic", held, output)
            code, output = ours(url, "--pact", str(exported))
            expect("and ours agrees", code == 0, output)
    with standin.serving("--checks", "off", "--control-token", CONTROL) as url:
        held, output = judge(url, committed, states(url, CONTROL))
        expect("a stand-in that does not check fails them", not held, output)
        code, output = ours(url)
        expect("and ours agrees", code == 1, output)
    with standin.serving("--token", "verified", "--client-secret", SECRET) as url:
        settings = [part for name, value in OTHER.items() for part in ("--set", f"{name}={value}")]
        code, output = ours(url, "--client-secret", SECRET, *settings)
        expect("with a token and ids of one's own they hold, too", code == 0, output)
        exchanges = json.loads(standin.call(f"{url}/__standin/requests?limit=100")[2])["exchanges"]
        targets = " ".join(exchange["request"]["target"] for exchange in exchanges)
        expect("and it is those ids that are sent", "st-other/agents/a-other?groupId=ag-other" in targets, targets)
        code, output = ours(url, "--token", "a.b.c")
        expect("without that token they do not", code == 1, output)


main()

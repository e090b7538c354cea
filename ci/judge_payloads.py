"""Does another JSON Schema validator agree with the labels of `standin generate`?

Valid cases must fit the published schema, and so must mutants that stay valid or are wrong elsewhere than in the body.
A mutant whose label is about a JSON Schema keyword and a place in the body must not fit it.
"""

import base64
import json

from jsonschema import Draft202012Validator

import standin

KEYWORDS = {"enum", "format", "maxLength", "maximum", "minLength", "minimum", "required", "type"}
COUNT = "1000"
SEED = "7"


def cases(operation, *flags):
    out = standin.run("generate", operation, "--count", COUNT, "--seed", SEED, *flags)
    again = standin.run("generate", operation, "--count", COUNT, "--seed", SEED, *flags)
    if out != again:
        standin.fail(f"{operation}: the same seed gives other lines")
    return [json.loads(line) for line in out.split("\n") if line]


def body(case):
    """The body's value; nothing when it is not JSON."""
    sent = case["request"]["body"]
    if "json" in sent:
        return [sent["json"]]
    try:
        text = sent["text"] if "text" in sent else base64.b64decode(sent["base64"]).decode()
        return [json.loads(text)]
    except (ValueError, RecursionError):
        return None


def fits(case):
    """What the label says of the body's fit; nothing when the label is about the body's text."""
    label = case["label"]
    if label["kind"] == "valid" or label["expect"] == "valid" or not label["pointer"].startswith("/body"):
        return True
    is_schema = label["rule"] in KEYWORDS and not (label["rule"] == "required" and label["pointer"] == "/body")
    return False if is_schema else None


def judge(document, operation):
    name = operation["operationId"]
    validator = Draft202012Validator({**standin.body_schema(operation), "components": document["components"]})
    counts = {True: 0, False: 0}
    differences = []
    for case in cases(name) + cases(name, "--mutants"):
        expected = fits(case)
        value = body(case)
        if expected is None:
            continue
        if value is None and not case["request"]["body"].get("text", "-") and not operation["requestBody"]["required"]:
            continue
        if value is None:
            standin.fail(f"{name} {case['index']}: {case['label']}: the body is not JSON")
        errors = [error.message[:200] for error in validator.iter_errors(value[0])]
        counts[expected] += 1
        if (not errors) != expected:
            differences.append(f"{name} {case['index']}: {json.dumps(case['label'], ensure_ascii=False)}\n    jsonschema: {errors or 'valid'}")
    if differences:
        print("\n".join(differences[:20]))
        standin.fail(f"{name}: {len(differences)} verdicts differ")
    if not counts[True] or not counts[False]:
        standin.fail(f"{name}: {counts}, so this shows nothing")
    print(f"{name}: {counts[True]} bodies that fit and {counts[False]} that do not: the same verdict on each")


def main():
    document = standin.document()
    for _, _, operation in standin.operations(document):
        if "requestBody" in operation:
            judge(document, operation)


main()

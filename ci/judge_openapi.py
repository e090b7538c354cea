"""Is the published document valid OpenAPI 3.1, and does another validator agree with `standin check`?

For each operation a table of bodies is made: the samples, and samples with one thing changed, as the published
schema suggests. Python's jsonschema says of each whether the schema takes it; `standin check` says whether the
contract does. Any difference fails.
"""

import copy
import json
import pathlib
import tempfile

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import standin

OF_TYPE = {
    "string": "text",
    "number": 1.5,
    "integer": 7,
    "boolean": True,
    "object": {},
    "array": [],
    "null": None,
}


def places(value, path=()):
    """Every place of a value, the outer ones first; of an array, the first and the last item."""
    yield path
    if isinstance(value, dict):
        for name in value:
            yield from places(value[name], (*path, name))
    elif isinstance(value, list) and value:
        for index in sorted({0, len(value) - 1}):
            yield from places(value[index], (*path, index))


def at(value, path):
    for step in path:
        value = value[step]
    return value


def changed(body, path, to):
    if not path:
        return to
    body = copy.deepcopy(body)
    at(body, path[:-1])[path[-1]] = to
    return body


def without(body, path):
    body = copy.deepcopy(body)
    del at(body, path[:-1])[path[-1]]
    return body


def renamed(body, path, name, keep=False):
    """The member under another name, at the end of its object; with `keep`, under both."""
    value = copy.deepcopy(at(body, path))
    body = copy.deepcopy(body) if keep else without(body, path)
    at(body, path[:-1])[name] = value
    return body


def nodes(schema, document):
    """Every schema that a schema consists of, its references followed."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item, document)
    elif isinstance(schema, dict):
        yield schema
        if "$ref" in schema:
            yield from nodes(standin.resolve(document, schema["$ref"]), document)
        for keyword in ("items", "allOf", "anyOf", "oneOf", "then", "else", "if"):
            if keyword in schema:
                yield from nodes(schema[keyword], document)
        for property in schema.get("properties", {}).values():
            yield from nodes(property, document)


def optional_members(schema, document):
    """(object path, name, schema) of each property of the schema, as far as objects go without arrays."""

    def walk(node, path, depth):
        if depth > 6 or not isinstance(node, dict):
            return
        if "$ref" in node:
            yield from walk(standin.resolve(document, node["$ref"]), path, depth)
        for name, property in node.get("properties", {}).items():
            yield path, name, property
            yield from walk(property, (*path, name), depth + 1)

    return walk(schema, (), 0)


def kinds(schema, document):
    """The JSON types that a property may have, its references followed."""
    while "$ref" in schema:
        schema = {**standin.resolve(document, schema["$ref"]), **{k: v for k, v in schema.items() if k != "$ref"}}
    kind = schema.get("type", [])
    return schema, [kind] if isinstance(kind, str) else kind


def unfolded(samples):
    """The samples once more, with what is JSON in a string as the JSON that it is."""
    for title, sample in samples.items():
        for path in list(places(sample)):
            text = at(sample, path)
            if isinstance(text, str) and text[:1] in ("[", "{"):
                yield f"{title}, {'/'.join(map(str, path))} unfolded", changed(sample, path, json.loads(text))


def bodies(schema, samples, document):
    """The table: a name and a body for each case."""
    spellings = {}
    enums = set()
    for node in nodes(schema, document):
        for value in node.get("enum", []):
            if isinstance(value, str):
                enums.add(value)
        for name, property in node.get("properties", {}).items():
            for alias in property.get("x-accepts", []) if isinstance(property, dict) else []:
                spellings.setdefault(name, set()).add(alias)

    for title, sample in [*samples.items(), *unfolded(samples)]:
        yield f"{title}: as it is", sample
        for path in list(places(sample)):
            where = "/".join(map(str, path)) or "the body"
            value = at(sample, path)
            for kind, other in OF_TYPE.items():
                yield f"{title}: {where} is {kind}", changed(sample, path, other)
            if not path:
                continue
            yield f"{title}: without {where}", without(sample, path)
            if isinstance(value, str):
                for text in ("", "x", "x" * 50, "x" * 51, "ü" * 50, "🦀" * 50, "🦀" * 51, " ", value + " ", value.upper(),
                             "someone@example.com", "no one@example", "a@b", "line\nbreak"):
                    yield f"{title}: {where} is {text[:12]!r}", changed(sample, path, text)
                for text in sorted(enums):
                    yield f"{title}: {where} is {text!r}", changed(sample, path, text)
            if isinstance(value, (int, float)):
                for number in (0, -1, 5.0, 0.5, 1e3, 10**12, -0.0):
                    yield f"{title}: {where} is {number}", changed(sample, path, number)
            if isinstance(value, list):
                for items in ([], [{}], [None], ["text"], value * 2):
                    yield f"{title}: {where} is {str(items)[:20]}", changed(sample, path, items)
            if isinstance(value, dict):
                yield f"{title}: {where} has more", changed(sample, path, {**value, "unheardOf": 1})
            if isinstance(path[-1], str):
                for alias in sorted(spellings.get(path[-1], ())):
                    yield f"{title}: {where} spelt {alias}", renamed(sample, path, alias)
                    yield f"{title}: {where} spelt both ways, {alias} too", renamed(sample, path, alias, keep=True)
                    broken = renamed(sample, path, alias)
                    yield f"{title}: {where} spelt {alias} and wrong", changed(broken, (*path[:-1], alias), [[]])
                    both = renamed(sample, path, alias, keep=True)
                    yield f"{title}: {where} right, {alias} wrong", changed(both, (*path[:-1], alias), [[]])
                    yield f"{title}: {where} wrong, {alias} right", changed(both, path, [[]])
                yield f"{title}: {where} in other letters", renamed(sample, path, path[-1].swapcase())
        for path, name, property in optional_members(schema, document):
            try:
                parent = at(sample, path)
            except (KeyError, TypeError):
                continue
            if not isinstance(parent, dict):
                continue
            for kind, other in OF_TYPE.items():
                yield f"{title}: {'/'.join((*path, name))} set to {kind}", changed(sample, (*path, name), other)
            property, types = kinds(property, document)
            for bound, step in (("minimum", -1), ("maximum", 1)):
                if bound in property:
                    for number in (property[bound], property[bound] + step):
                        yield f"{title}: {name} is {number}", changed(sample, (*path, name), number)
            for bound, step in (("minLength", -1), ("maxLength", 1)):
                if bound in property:
                    for length in (property[bound], max(0, property[bound] + step)):
                        yield f"{title}: {name} of {length}", changed(sample, (*path, name), "é" * length)


def judge(document, path, method, operation, folder):
    name = operation["operationId"]
    schema = {**standin.body_schema(operation), "components": document["components"]}
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    cases = {}
    for title, body in bodies(standin.body_schema(operation), standin.samples(operation), document):
        cases.setdefault(json.dumps(body, ensure_ascii=False), title)
    files = []
    for number, text in enumerate(cases):
        file = folder / f"{name}-{number}.json"
        file.write_text(text, encoding="utf-8")
        files.append(str(file))
    if not files:
        standin.fail(f"{name}: no sample request in the published document")

    verdicts = {}
    for start in range(0, len(files), 500):
        checked = json.loads(standin.run("check", name, *files[start : start + 500], "--as", "json", check=False))
        verdicts |= {file["file"]: file for file in checked["files"]}

    differences = []
    valid = 0
    for file, (text, title) in zip(files, cases.items()):
        ours = verdicts[file]
        theirs = [error.message for error in validator.iter_errors(json.loads(text))]
        valid += not theirs
        if (ours["verdict"] == "valid") != (not theirs):
            reasons = [f"{v['pointer']}: {v['message']}" for v in ours["violations"]]
            differences.append(f"{name}: {title}\n    standin: {reasons or 'valid'}\n    jsonschema: {[t[:200] for t in theirs] or 'valid'}")
    if differences:
        print("\n".join(differences[:20]))
        standin.fail(f"{name}: {len(differences)} of {len(cases)} verdicts differ")
    if valid in (0, len(cases)):
        standin.fail(f"{name}: the table has {valid} valid bodies of {len(cases)}, so it shows nothing")
    print(f"{name}: {len(cases)} bodies, {valid} of them valid: the same verdict on each")


def main():
    document = standin.document()
    OpenAPIV31SpecValidator(document).validate()
    print("the published document is valid OpenAPI 3.1")
    with tempfile.TemporaryDirectory() as folder:
        for path, method, operation in standin.operations(document):
            if "requestBody" not in operation:
                continue
            judge(document, path, method, operation, pathlib.Path(folder))


main()

"""The hostile clients as one program: runs them one after the other and says what each of them did to the server."""

import argparse
import json
import pathlib
import resource
import sys
import time

import control
import floods
import frames
import inputs
import pages
import slow
import smuggling
import stopping
import tokens
import waiting
from attack import ATTACKS
from measure import measure

# In the order in which they run.
FAMILIES = (slow, waiting, floods, frames, control, smuggling, pages, tokens, inputs, stopping)

COLUMNS = (
    "{verdict:4} {name:26} {worst_ms:>6} {proof_ms:>6} {peak_mib:>6} {allowed_mib:>7} {after_mib:>6}"
    " {descriptors:>6} {threads:>7} {stop_ms:>7} {lateness_ms:>5} {load:>5}"
)
HEADINGS = {
    "verdict": "", "name": "attack", "worst_ms": "worst", "proof_ms": "proof", "peak_mib": "peak",
    "allowed_mib": "allowed", "after_mib": "after", "descriptors": "descr.", "threads": "threads",
    "stop_ms": "stop", "lateness_ms": "late", "load": "load",
}

LEGEND = """\
worst, proof, stop: the legitimate client's worst answer, a fresh answer afterwards, the end after SIGTERM, in ms
peak, allowed, after: the process's memory, in MiB
late: how late the legitimate client's own timer was, in ms; the machine's doing, like load, and not the server's
"""

SHOWN = 12


def main():
    options = arguments()
    if options.list:
        for family in FAMILIES:
            print(family.__doc__)
            for attack in of(family):
                print(f"  {attack.name:26} {attack.about}")
        return 0
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    # A thousand clients of ours, and as many connections of the server, are more than the usual 1024.
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    print(LEGEND)
    print(COLUMNS.format(**HEADINGS), flush=True)
    results = []
    attacks = [attack for family in FAMILIES for attack in of(family)]
    for attack in [ATTACKS[name] for name in options.names] or attacks:
        result = measure(attack, options.seconds, options.times)
        results.append(result)
        show(result, options.verbose)
    failed = [result["name"] for result in results if result["problems"]]
    if options.json:
        summary = {"seconds": options.seconds, "at": time.strftime("%Y-%m-%d %H:%M"), "attacks": results}
        options.json.write_text(json.dumps(summary, indent=2) + "\n")
    print(f"\n{len(results) - len(failed)} of {len(results)} attacks withstood")
    return 1 if failed else 0


def of(family):
    return [attack for attack in ATTACKS.values() if attack.client.__module__ == family.__name__]


def arguments():
    parser = argparse.ArgumentParser(prog="ci/attacks/run", description=__doc__)
    parser.add_argument("rest", nargs="*", metavar="[SECONDS] [NAME…]", help="how long each, and which; ten, and all")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write the figures there, too")
    parser.add_argument(
        "--no-times", dest="times", action="store_false", help="show times, and judge everything else; for busy machines"
    )
    parser.add_argument("--list", action="store_true", help="name the attacks")
    parser.add_argument("--verbose", action="store_true", help="show what the clients did and remarked")
    options = parser.parse_intermixed_args()
    options.names = options.rest
    options.seconds = 10
    if options.names and options.names[0].isdecimal():
        options.seconds = int(options.names[0])
        options.names = options.names[1:]
    for name in options.names:
        if name not in ATTACKS:
            parser.error(f"there is no attack `{name}`; --list names them")
    return options


def show(result, verbose):
    cells = result | {"verdict": "FAIL" if result["problems"] else "pass"}
    print(COLUMNS.format(**{name: "-" if cell is None else cell for name, cell in cells.items() if name in HEADINGS}))
    problems = result["problems"]
    # A table that fails at all of its rows is not worth a page of output.
    shown = problems if verbose else problems[:SHOWN]
    for problem in shown:
        print(f"       {problem}")
    if len(shown) < len(problems):
        print(f"       and {len(problems) - len(shown)} more; --verbose shows them")
    if verbose:
        for what, count in sorted(result["tally"].items()):
            print(f"       {count} {what}")
        for remark in result["remarks"]:
            print(f"       {remark}")
    sys.stdout.flush()


sys.exit(main())

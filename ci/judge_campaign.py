"""Does `standin fuzz` leave a correct server of somebody else alone, and find what is wrong with others?

The correct server is the one of tests/outside, once strict and once lenient. Three servers of the family with one bug each
are shown to Schemathesis too; `ci/judges matrix` does that with all of them.
"""

import os

import campaign_matrix as matrix
import standin

CASES = os.environ.get("CASES", "5000")
THREE = ("off-by-one", "leaves-body-unread", "wraps-reply")


def main():
    for name, flags in (("strict", []), ("lenient", ["--lenient"])):
        with matrix.outside(*flags) as url:
            outcome = matrix.campaign(url, cases=CASES)
        findings = [
            f"{finding['check']} {finding['operation']} {finding['place']}: expected {finding['expected']}, but found {finding['found']}"
            for finding in outcome["findings"] + outcome["flaky"]
        ]
        if findings:
            standin.fail(f"the {name} server is right and is accused:\n" + "\n".join(findings))
        if outcome["cases"] < int(CASES):
            standin.fail(f"only {outcome['cases']} cases: {outcome['ended']}, {outcome['notes']}")
        print(f"the {name} server: {outcome['cases']} cases, nothing is found")
    bugs = [bug for bug in matrix.family() if bug["name"] in THREE]
    _, worse = matrix.rows(bugs)
    if worse or len(bugs) != len(THREE):
        standin.fail("; ".join(worse) or "not all of the three bugs are there")


main()

"""What the clients in Python send, and how they say what they saw."""

import json

ACCOUNT = "649bdcaf5037ed113942xxxx"
AGENT = {
    "emailId": "nov5uat@mailinator.com",
    "firstName": "nov05",
    "lastName": "agent3",
    "roleId": "67654be356840f366e79xxxx",
}
UPDATE = AGENT | {
    "phoneNumber": "1345678299",
    "voiceLanguageSupport": [{"language": "en", "proficiency": "expert"}],
    "chatLanguageSupport": [],
    "skills": [],
}
SKILL_GROUPS = {
    "data": [
        {
            "_id": "6656d350463a7e1fc890xxxx",
            "name": "Billing",
            "description": "Questions about bills",
            "status": "ACTIVE",
            "color": "#D2000D",
            "skills": [],
            "isDefault": False,
            "iId": "st-1",
            "createdByAId": "a-1",
        }
    ],
    "metaData": {"orgId": "o-1", "accountId": ACCOUNT, "type": "skillGroups", "userId": "u-1"},
}
# Refused, at its `emailId`.
NOBODY = AGENT | {"emailId": "nobody"}


def seen(statuses, created, updated, refused):
    """Prints the line of JSON that the judge reads."""
    print(json.dumps({"statuses": statuses, "created": created, "updated": updated, "refused": refused}))

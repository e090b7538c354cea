"""What a script does with a client made by openapi-python-client. Prints one line of JSON for the judge."""

import json
import sys

from agentassist.api.default import create_agent, import_data_v2, update_agent
from agentassist.client import AuthenticatedClient
from agentassist.models import (
    CreateAgentRequest,
    ImportDataV2Request,
    ImportDataV2Type,
    UpdateAgentRequest,
    VendorErrors,
)

url, token = sys.argv[1:]
account = "649bdcaf5037ed113942xxxx"
client = AuthenticatedClient(base_url=url, token=token, prefix="", auth_header_name="auth")
agent = {
    "emailId": "nov5uat@mailinator.com",
    "firstName": "nov05",
    "lastName": "agent3",
    "roleId": "67654be356840f366e79xxxx",
}
created = create_agent.sync_detailed(
    "st-1", client=client, body=CreateAgentRequest.from_dict(agent), account_id=account
)
updated = update_agent.sync_detailed(
    "st-1",
    "a-1",
    client=client,
    body=UpdateAgentRequest.from_dict(
        agent
        | {
            "phoneNumber": "1345678299",
            "voiceLanguageSupport": [{"language": "en", "proficiency": "expert"}],
            "chatLanguageSupport": [],
            "skills": [],
        }
    ),
    group_id="ag-1",
    account_id=account,
)
imported = import_data_v2.sync_detailed(
    "st-1",
    client=client,
    body=ImportDataV2Request.from_dict(
        {
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
            "metaData": {"orgId": "o-1", "accountId": account, "type": "skillGroups", "userId": "u-1"},
        }
    ),
    account_id_query=account,
    account_id_header=account,
    org_id="o-1",
    type_=ImportDataV2Type.SKILLGROUPS,
)
refused = create_agent.sync_detailed(
    "st-1", client=client, body=CreateAgentRequest.from_dict(agent | {"emailId": "nobody"}), account_id=account
)
assert isinstance(refused.parsed, VendorErrors), refused.parsed
print(
    json.dumps(
        {
            "statuses": [answer.status_code for answer in (created, updated, imported, refused)],
            "created": created.parsed.email_id,
            "updated": updated.parsed.first_name,
            "refused": refused.parsed.errors[0].violations[0].pointer,
        }
    )
)

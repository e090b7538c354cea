"""What a script does with a client made by openapi-python-client."""

import sys

from api.api.default import create_agent, import_data_v2, update_agent
from api.client import AuthenticatedClient
from api.models import CreateAgentRequest, ImportDataV2Request, ImportDataV2Type, UpdateAgentRequest, VendorErrors
from bodies import ACCOUNT, AGENT, NOBODY, SKILL_GROUPS, UPDATE, seen

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, prefix="", auth_header_name="auth")
created = create_agent.sync_detailed(
    "st-1", client=client, body=CreateAgentRequest.from_dict(AGENT), account_id=ACCOUNT
)
updated = update_agent.sync_detailed(
    "st-1", "a-1", client=client, body=UpdateAgentRequest.from_dict(UPDATE), group_id="ag-1", account_id=ACCOUNT
)
imported = import_data_v2.sync_detailed(
    "st-1",
    client=client,
    body=ImportDataV2Request.from_dict(SKILL_GROUPS),
    account_id_query=ACCOUNT,
    account_id_header=ACCOUNT,
    org_id="o-1",
    type_=ImportDataV2Type.SKILLGROUPS,
)
refused = create_agent.sync_detailed(
    "st-1", client=client, body=CreateAgentRequest.from_dict(NOBODY), account_id=ACCOUNT
)
assert isinstance(refused.parsed, VendorErrors), refused.parsed
seen(
    [answer.status_code for answer in (created, updated, imported, refused)],
    created.parsed.email_id,
    updated.parsed.first_name,
    refused.parsed.errors[0].violations[0].pointer,
)

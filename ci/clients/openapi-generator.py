"""What a script does with a client made by openapi-generator."""

import sys

from api import ApiClient, ApiException, Configuration, DefaultApi
from api.models import CreateAgentRequest, ImportDataV2Request, UpdateAgentRequest, VendorErrors
from bodies import ACCOUNT, AGENT, NOBODY, SKILL_GROUPS, UPDATE, seen

url, token = sys.argv[1:]
api = DefaultApi(ApiClient(Configuration(host=url, api_key={"auth": token})))
created = api.create_agent_with_http_info("st-1", ACCOUNT, CreateAgentRequest.from_dict(AGENT))
updated = api.update_agent_with_http_info("st-1", "a-1", "ag-1", ACCOUNT, UpdateAgentRequest.from_dict(UPDATE))
imported = api.import_data_v2_with_http_info(
    "st-1", ACCOUNT, "o-1", "skillGroups", ACCOUNT, ImportDataV2Request.from_dict(SKILL_GROUPS)
)
try:
    # The checks of the client itself would not let it out.
    nobody = CreateAgentRequest.model_construct(**CreateAgentRequest.from_dict(AGENT).__dict__ | {"email_id": "nobody"})
    refused = api.create_agent("st-1", ACCOUNT, nobody)
    raise SystemExit(f"{refused} instead of a refusal")
except ApiException as error:
    assert isinstance(error.data, VendorErrors), error.data
    seen(
        [created.status_code, updated.status_code, imported.status_code, error.status],
        created.data.email_id,
        updated.data.first_name,
        error.data.errors[0].violations[0].pointer,
    )

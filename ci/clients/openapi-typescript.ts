// What a front end does with a client made by openapi-typescript and openapi-fetch.
import createClient from "openapi-fetch";
import type { paths } from "./api";
import { account, agent, nobody, seen, skillGroups, update } from "./bodies";

const [url, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { auth: token } });
const header = { accountId: account };

async function main(): Promise<void> {
  const agents = "/agentassist/api/v1/public/{streamId}/agents";
  const created = await client.POST(agents, { params: { path: { streamId: "st-1" }, header }, body: agent });
  const updated = await client.PUT("/agentassist/api/v1/public/{streamId}/agents/{agentId}", {
    params: { path: { streamId: "st-1", agentId: "a-1" }, query: { groupId: "ag-1" }, header },
    body: update,
  });
  const imported = await client.POST(
    "/agentassist/api/v1/public/analytics/{botId}/storeSmartAssistFunctionalities",
    {
      params: {
        path: { botId: "st-1" },
        query: { accountId: account, orgId: "o-1", type: "skillGroups" },
        header,
      },
      body: skillGroups,
    },
  );
  const refused = await client.POST(agents, { params: { path: { streamId: "st-1" }, header }, body: nobody });
  // `error` has the type of a refusal, and only that: no cast is needed to get at what is wrong.
  const violation = refused.error?.errors[0]?.violations?.[0];
  const statuses = [created, updated, imported, refused].map((answer) => answer.response.status);
  seen(statuses, created.data?.emailId, updated.data?.firstName, violation?.pointer);
}

void main();

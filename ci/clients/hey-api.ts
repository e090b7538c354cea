// What a front end does with a client made by hey-api.
import { createAgent, importDataV2, updateAgent } from "./api";
import { client } from "./api/client.gen";
import { account, agent, nobody, seen, skillGroups, update } from "./bodies";

const [url, token] = process.argv.slice(2);
client.setConfig({ baseUrl: url as `${string}://${string}`, auth: token });
const headers = { accountId: account };

async function main(): Promise<void> {
  const created = await createAgent({ path: { streamId: "st-1" }, headers, body: agent });
  const updated = await updateAgent({
    path: { streamId: "st-1", agentId: "a-1" },
    query: { groupId: "ag-1" },
    headers,
    body: update,
  });
  const imported = await importDataV2({
    path: { botId: "st-1" },
    query: { accountId: account, orgId: "o-1", type: "skillGroups" },
    headers,
    body: skillGroups,
  });
  const refused = await createAgent({ path: { streamId: "st-1" }, headers, body: nobody });
  const violation = refused.error?.errors[0]?.violations?.[0];
  const statuses = [created, updated, imported, refused].map((answer) => answer.response?.status ?? 0);
  seen(statuses, created.data?.emailId, updated.data?.firstName, violation?.pointer);
}

void main();

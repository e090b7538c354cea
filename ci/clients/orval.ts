// What a front end does with a client made by orval, and with the zod schemas that it makes.
import { createAgent, importDataV2, updateAgent } from "./api";
import { account, agent, nobody, seen, skillGroups, update } from "./bodies";
import { createAgentBody, createAgentResponse, importDataV2Body, updateAgentBody, updateAgentResponse } from "./zod";

const [url, token] = process.argv.slice(2);
const options = { headers: { auth: token, accountId: account } };

// Its functions have paths alone.
const plain = fetch;
globalThis.fetch = (path, init) => plain(`${url}${path}`, init);

async function main(): Promise<void> {
  const created = await createAgent("st-1", createAgentBody.parse(agent), options);
  const updated = await updateAgent("st-1", "a-1", updateAgentBody.parse(update), { groupId: "ag-1" }, options);
  const query = { accountId: account, orgId: "o-1", type: "skillGroups" as const };
  const imported = await importDataV2("st-1", importDataV2Body.parse(skillGroups), query, options);
  if (createAgentBody.safeParse(nobody).success) throw new Error("zod takes an address that is none");
  const refused = await createAgent("st-1", nobody, options);
  const violation = refused.status === 200 ? undefined : refused.data.errors[0]?.violations?.[0];
  const statuses = [created, updated, imported, refused].map((answer) => answer.status);
  seen(
    statuses,
    createAgentResponse.parse(created.data).emailId,
    updateAgentResponse.parse(updated.data).firstName,
    violation?.pointer,
  );
}

void main();

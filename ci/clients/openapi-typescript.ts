// What a front end does with a client made by openapi-typescript and openapi-fetch: `tsc --strict` reads the types,
// Node runs it. Prints one line of JSON for the judge.
import createClient from "openapi-fetch";
import type { components, paths } from "./api";

const [url, token] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: url, headers: { auth: token } });
const header = { accountId: "649bdcaf5037ed113942xxxx" };

async function main(): Promise<void> {
  const agent: components["schemas"]["CreateAgentRequest"] = {
    emailId: "nov5uat@mailinator.com",
    firstName: "nov05",
    lastName: "agent3",
    roleId: "67654be356840f366e79xxxx",
  };
  const created = await client.POST("/agentassist/api/v1/public/{streamId}/agents", {
    params: { path: { streamId: "st-1" }, header },
    body: agent,
  });
  const updated = await client.PUT("/agentassist/api/v1/public/{streamId}/agents/{agentId}", {
    params: { path: { streamId: "st-1", agentId: "a-1" }, query: { groupId: "ag-1" }, header },
    body: {
      emailId: "nov5uat@mailinator.com",
      firstName: "nov05",
      lastName: "agent3",
      phoneNumber: "1345678299",
      voiceLanguageSupport: [{ language: "en", proficiency: "expert" }],
      chatLanguageSupport: [],
      skills: [],
    },
  });
  const imported = await client.POST(
    "/agentassist/api/v1/public/analytics/{botId}/storeSmartAssistFunctionalities",
    {
      params: {
        path: { botId: "st-1" },
        query: { accountId: header.accountId, orgId: "o-1", type: "skillGroups" },
        header,
      },
      body: {
        data: [
          {
            _id: "6656d350463a7e1fc890xxxx",
            name: "Billing",
            description: "Questions about bills",
            status: "ACTIVE",
            color: "#D2000D",
            skills: [],
            isDefault: false,
            iId: "st-1",
            createdByAId: "a-1",
          },
        ],
        metaData: { orgId: "o-1", accountId: header.accountId, type: "skillGroups", userId: "u-1" },
      },
    },
  );
  const refused = await client.POST("/agentassist/api/v1/public/{streamId}/agents", {
    params: { path: { streamId: "st-1" }, header },
    body: { ...agent, emailId: "nobody" },
  });
  // `error` has the type of a refusal, and only that: no cast is needed to get at what is wrong.
  const violation = refused.error?.errors[0]?.violations?.[0];
  console.log(
    JSON.stringify({
      statuses: [created, updated, imported, refused].map((answer) => answer.response.status),
      created: created.data?.emailId,
      updated: updated.data?.firstName,
      refused: violation?.pointer,
    }),
  );
}

void main();

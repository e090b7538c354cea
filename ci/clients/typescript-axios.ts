// What a front end does with a client made by openapi-generator for axios.
import { isAxiosError } from "axios";
import { Configuration, DefaultApi, type VendorErrors } from "./api";
import { account, agent, nobody, seen, skillGroups, update } from "./bodies";

const [url, token] = process.argv.slice(2);
const api = new DefaultApi(new Configuration({ basePath: url, apiKey: token }));

async function main(): Promise<void> {
  const created = await api.createAgent("st-1", account, agent);
  const updated = await api.updateAgent("st-1", "a-1", "ag-1", account, update);
  const imported = await api.importDataV2("st-1", account, "o-1", "skillGroups", account, skillGroups);
  const refused = await api.createAgent("st-1", account, nobody).catch((error: unknown) => {
    if (!isAxiosError<VendorErrors>(error) || !error.response) throw error;
    return error.response;
  });
  const violation = "errors" in refused.data ? refused.data.errors[0]?.violations?.[0] : undefined;
  const statuses = [created, updated, imported, refused].map((answer) => answer.status);
  seen(statuses, created.data.emailId, updated.data.firstName, violation?.pointer);
}

void main();

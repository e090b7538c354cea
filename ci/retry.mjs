// Sends one request again and again, by axios with axios-retry or by undici's fetch in a loop: `retry.mjs CLIENT COUNT` with
// {method, url, headers, body} on standard input; prints the status of each, or the error that was left after all attempts.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";

// From NODE_PATH, which import does not look at.
const require = createRequire(import.meta.url);
const [client, count] = process.argv.slice(2);
const { method, url, headers, body } = JSON.parse(readFileSync(0, "utf8"));
const attempts = 8;

function byAxios() {
  const axios = require("axios");
  const { default: retry } = require("axios-retry");
  const instance = axios.create({ proxy: false });
  const retryCondition = (error) => !error.response || error.response.status === 429 || error.response.status >= 500;
  retry(instance, { retries: attempts - 1, retryDelay: () => 0, retryCondition });
  return async () => (await instance.request({ method, url, headers, data: body })).status;
}

// Its agent that tries again cannot send the body of a fetch twice, so this loop does.
function byUndici() {
  const { fetch } = require("undici");
  return async () => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const reply = await fetch(url, { method, headers, body });
        await reply.text();
        if ((reply.status !== 429 && reply.status < 500) || attempt === attempts) return reply.status;
      } catch (error) {
        if (attempt === attempts) throw error;
      }
    }
  };
}

const send = { axios: byAxios, undici: byUndici }[client]();
const statuses = [];
for (let number = 0; number < Number(count); number += 1) {
  statuses.push(await send().catch((error) => String(error.cause ?? error)));
}
console.log(JSON.stringify(statuses));

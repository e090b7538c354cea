// Sends requests by fetch: one JSON object a line on standard input, {method, url, headers, body in base64};
// one line on standard output for each, with the reply's status and the number of its exchange, or the error.
import { createInterface } from "node:readline";

async function send({ method, url, headers, body }) {
  try {
    // As bytes, for which fetch adds no media type of its own.
    const bytes = body ? Buffer.from(body, "base64") : undefined;
    const reply = await fetch(url, { method, headers, body: bytes, redirect: "manual" });
    await reply.arrayBuffer();
    return { status: reply.status, exchange: reply.headers.get("x-standin-exchange") };
  } catch (error) {
    return { error: String(error.cause ?? error) };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await send(JSON.parse(line))));
}

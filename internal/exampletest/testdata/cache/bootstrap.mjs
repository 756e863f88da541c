// A function in Node: it answers a list of [type, name] with their values. The
// client is that of the README.
import { cached } from "./client.mjs";

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation/`;

// As the clients of AWS's extension do.
async function aws(target) {
  const headers = { "X-Aws-Parameters-Secrets-Token": process.env.AWS_SESSION_TOKEN };
  return (await fetch("http://localhost:2773" + target, { headers })).json();
}

async function value(kind, name) {
  const encoded = encodeURIComponent(name);
  if (kind === "aws/secret") return (await aws(`/secretsmanager/get?secretId=${encoded}`)).SecretString;
  if (kind === "aws/parameter")
    return (await aws(`/systemsmanager/parameters/get?withDecryption=true&name=${encoded}`)).Parameter.Value;
  return cached(kind, name);
}

for (;;) {
  const invocation = await fetch(api + "next");
  const answer = [];
  for (const [kind, name] of await invocation.json()) answer.push(await value(kind, name));
  const id = invocation.headers.get("Lambda-Runtime-Aws-Request-Id");
  await fetch(`${api}${id}/response`, { method: "POST", body: JSON.stringify({ values: answer }) });
}

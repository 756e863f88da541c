// Runs handlers of Node for the benchmarks beside it: node bench.mjs SCHEMA
//
// A line of standard input is a request {"handler", "payload", "n"}: invoke the
// handler n times with the payload. A line of standard output answers with
// {"ns", "answer"}: the nanoseconds that all of them took, and the last answer.
// As in Lambda's own runtime, an invocation begins with the bytes of an event
// and ends with those of an answer.
import { Console } from "node:console";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Logger } from "@aws-lambda-powertools/logger";
import { injectLambdaContext } from "@aws-lambda-powertools/logger/middleware";
import middy from "@middy/core";
import httpErrorHandler from "@middy/http-error-handler";
import httpJsonBodyParser from "@middy/http-json-body-parser";
import httpSecurityHeaders from "@middy/http-security-headers";
import validator from "@middy/validator";
import { transpileSchema } from "@middy/validator/transpile";

const order = JSON.parse(readFileSync(process.argv[2]));
const eventSchema = transpileSchema({
  type: "object",
  required: ["body"],
  properties: { body: order },
});

const accepted = ({ customer }) => ({
  statusCode: 201,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ id: customer, status: "accepted" }),
});

// Its lines are made and then dropped, as those of guard.Log are.
const logger = new Logger({ serviceName: "orders" });
logger.console = new Console(new Writable({ write: (_chunk, _encoding, done) => done() }));

const handlers = {
  bare: async (event) => accepted(JSON.parse(event.body)),

  middy: middy()
    .use(httpErrorHandler({ logger: false }))
    .use(httpJsonBodyParser())
    .use(validator({ eventSchema }))
    .handler(async (event) => accepted(event.body)),

  "middy+headers+logger": middy()
    .use(injectLambdaContext(logger))
    .use(httpSecurityHeaders())
    .use(httpErrorHandler({ logger: false }))
    .use(httpJsonBodyParser())
    .use(validator({ eventSchema }))
    .handler(async (event) => {
      logger.info("order accepted");
      return accepted(event.body);
    }),
};

const context = () => ({
  awsRequestId: "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
  functionName: "orders",
  functionVersion: "$LATEST",
  invokedFunctionArn: "arn:aws:lambda:eu-central-1:123456789012:function:orders",
  memoryLimitInMB: "1024",
  getRemainingTimeInMillis: () => 300_000,
});

for await (const line of createInterface({ input: process.stdin })) {
  const { handler, payload, n } = JSON.parse(line);
  const invoke = handlers[handler];
  const raw = Buffer.from(payload);
  let answer;
  const start = process.hrtime.bigint();
  for (let i = 0; i < n; i++) {
    answer = Buffer.from(JSON.stringify(await invoke(JSON.parse(raw.toString()), context())));
  }
  const ns = Number(process.hrtime.bigint() - start);
  process.stdout.write(`${JSON.stringify({ ns, answer: answer.toString() })}\n`);
}

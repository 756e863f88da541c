"""A Lambda function that uses Powertools, run by the tests.

Each line of standard input is a call, a JSON object:

  key         event_key_jmespath
  validation  payload_validation_jmespath, or absent
  prefix      key_prefix
  record      whether it is a function of one record, in the place of a handler
  event       what the function is called with
  result      what the handler returns
  fail        whether it raises an error instead
  wait        whether it waits for a line of standard input before it ends
  sort_key    sort_key_attr of a table with a composite key, or absent
  remaining   milliseconds left of the invocation, or null for no context

Each line of standard output is what happened: {"running": true} once a handler
that is to wait runs, and at the end {"result": …, "ran": …} or {"error": …, "ran": …}.
"""

import json
import sys
import warnings

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent,
    idempotent_function,
)

warnings.simplefilter("ignore")


class Context:
    def __init__(self, remaining):
        self.remaining = remaining

    def get_remaining_time_in_millis(self):
        return self.remaining


class HandlerFailed(Exception):
    pass


def say(**what):
    print(json.dumps(what), flush=True)


def call(client, table, c):
    ran = 0

    def handle(event, context=None):
        nonlocal ran
        ran += 1
        if c.get("wait"):
            say(running=True)
            sys.stdin.readline()
        if c.get("fail"):
            raise HandlerFailed
        return c.get("result")

    config = IdempotencyConfig(
        event_key_jmespath=c["key"],
        payload_validation_jmespath=c.get("validation", ""),
        raise_on_no_idempotency_key=True,
        expires_after_seconds=3600,
    )
    store = DynamoDBPersistenceLayer(table_name=table, boto3_client=client, sort_key_attr=c.get("sort_key"))
    context = Context(c.get("remaining"))
    if c.get("record"):
        config.register_lambda_context(context)
        one = idempotent_function(
            handle,
            data_keyword_argument="event",
            persistence_store=store,
            config=config,
            key_prefix=c["prefix"],
        )
        handler = lambda event, context: one(event=event)
    else:
        handler = idempotent(handle, persistence_store=store, config=config, key_prefix=c["prefix"])
    try:
        result = handler(c["event"], context)
    except Exception as error:
        say(error=type(error).__name__, text=str(error), ran=ran)
    else:
        say(result=result, ran=ran)


def main():
    url, table = sys.argv[1:]
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-central-1",
        aws_access_key_id="key",
        aws_secret_access_key="secret",
    )
    while line := sys.stdin.readline():
        call(client, table, json.loads(line))


main()

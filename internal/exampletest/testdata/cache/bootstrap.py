# Runs handler of the module that it is started with, as Lambda's runtime for Python
# does.
import importlib
import json
import os
import sys
import urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"

handler = importlib.import_module(sys.argv[1]).handler
while True:
    with urllib.request.urlopen(API + "next") as invocation:
        answer = json.dumps(handler(json.load(invocation), None)).encode()
        urllib.request.urlopen(API + invocation.headers["Lambda-Runtime-Aws-Request-Id"] + "/response", answer)

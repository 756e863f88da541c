import json
import os
import sys
import urllib.request

API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"


def ask(path, headers, body=None):
    request = urllib.request.Request(API + path, data=body, headers=headers)
    return urllib.request.urlopen(request)


registered = ask("register", {"Lambda-Extension-Name": os.path.basename(__file__)}, b'{"events":["INVOKE","SHUTDOWN"]}')
identity = {"Lambda-Extension-Identifier": registered.headers["Lambda-Extension-Identifier"]}
while True:
    event = json.load(ask("event/next", identity))
    print("python got", event["eventType"], event.get("requestId") or event["shutdownReason"], flush=True)
    if event["eventType"] == "SHUTDOWN":
        sys.exit()

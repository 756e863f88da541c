import os
import urllib.parse
import urllib.request

_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def cached(kind, name):
    request = urllib.request.Request(
        "http://localhost:4000/" + kind + "?" + urllib.parse.urlencode({"name": name}),
        headers={"X-Aws-Parameters-Secrets-Token": os.environ["AWS_SESSION_TOKEN"]},
    )
    with _direct.open(request, timeout=5) as answer:  # an error if the status is not 200
        return answer.read().decode()

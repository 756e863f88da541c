import json

from cache import cached


def handler(event, context):
    limits = json.loads(cached("dynamodb", "shop-settings-berlin-limits"))
    key = cached("secrets", "shop/api-key")
    return {"level": cached("parameters", "/shop/log-level"), "most": limits["most"], "key": len(key)}

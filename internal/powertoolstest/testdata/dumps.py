"""Writes each line of standard input, a JSON text, as Powertools hashes it."""

import json
import sys

from aws_lambda_powertools.shared.json_encoder import Encoder

for line in sys.stdin:
    print(json.dumps(json.loads(line), sort_keys=True, cls=Encoder), flush=True)

"""Holds a bill of materials to its schema: validate.py cyclonedx|spdx FILE"""

import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

kind, file = sys.argv[1:]
if kind == "cyclonedx":
    with open(file, encoding="utf-8") as bom:
        problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bom.read())
    sys.exit(problem and str(problem))
problems = validate_full_spdx_document(parse_file(file), "SPDX-2.3")
sys.exit("\n".join(message.validation_message for message in problems) or None)

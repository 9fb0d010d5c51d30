"""Write the service's OpenAPI schema to web/openapi.json, for the types of `npm run api`."""

import json
import tempfile
from pathlib import Path

from beimingwu.config import Settings
from beimingwu.server.app import create_app
from beimingwu.server.service import open_service

with (
    tempfile.TemporaryDirectory() as folder,
    open_service(Settings(dock=folder), "http://127.0.0.1") as service,
):
    schema = create_app(service).openapi()
Path(__file__).with_name("openapi.json").write_text(json.dumps(schema))

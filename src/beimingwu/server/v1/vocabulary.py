"""The words that a semantic specification is made of."""

from __future__ import annotations

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from beimingwu.server.permissions import Anyone
from beimingwu.specification.semantic import VOCABULARIES

router = APIRouter(prefix="/vocabulary", tags=["vocabulary"])


class Vocabulary(BaseModel):
    """The allowed values of each field."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"fields": {key: list(values) for key, values in VOCABULARIES.items()}}
        }
    )

    fields: dict[str, list[str]]


@router.get("", operation_id="getVocabulary")
def get_vocabulary(caller: Anyone, response: Response) -> Vocabulary:
    """Return the values that data, task, library, scenario, license and model may have."""
    response.headers["Cache-Control"] = "public, max-age=3600"
    return Vocabulary(fields={key: list(values) for key, values in VOCABULARIES.items()})

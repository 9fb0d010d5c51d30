"""The schema: complete, and with examples that its own rules accept."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from beimingwu.server.app import create_app
from beimingwu.server.permissions import declared_routes, permissions_of


@pytest.fixture
def schema(client) -> dict[str, Any]:
    return client.get("/v1/openapi.json").json()


def operations(schema: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_operation_has_a_name_of_its_own_and_a_sentence(schema) -> None:
    assert schema["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, operation in operations(schema)]
    assert len(names) == len(set(names))
    for name, operation in operations(schema):
        assert operation["operationId"].isidentifier() and "_" not in operation["operationId"]
        assert operation["description"].endswith("."), name
        assert operation["tags"], name


def test_every_failure_is_documented_as_a_problem(schema) -> None:
    for name, operation in operations(schema):
        failures = {s: told for s, told in operation["responses"].items() if s >= "400"}
        assert {"400", "401", "403", "413", "415", "422", "429", "500", "503"} <= set(failures)
        for told in failures.values():
            assert list(told["content"]) == ["application/problem+json"], name
        if "{" in name:
            assert "404" in failures, name


def test_every_operation_says_who_may_call_it(client, schema) -> None:
    for path, route in declared_routes(client.app.routes):
        if path not in schema["paths"]:
            continue
        [permission] = permissions_of(route)
        for method in route.methods or ():
            operation = schema["paths"][path][method.lower()]
            assert ({} in operation["security"]) == (permission.role is None)
            if permission.role is not None:
                assert operation["x-permission"]["scope"] == str(permission.scope)


def test_every_reference_leads_somewhere(schema) -> None:
    for reference in references(schema):
        where: Any = schema
        for part in reference.removeprefix("#/").split("/"):
            where = where[part]
        assert where


def references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [found for value in part.values() for found in references(value)]
    if isinstance(part, list):
        return [found for value in part for found in references(value)]
    return []


def test_every_example_is_accepted_by_the_rules_it_stands_beside(service) -> None:
    tried = 0
    for model in sorted(models_of(create_app(service)), key=lambda model: model.__name__):
        config: Any = model.model_config.get("json_schema_extra") or {}
        if "example" in config:
            model.model_validate(config["example"])
            tried += 1
        for name, field in model.model_fields.items():
            for example in field.examples or ():
                rules: Any = field.annotation
                TypeAdapter(rules).validate_python(example)
                if len(model.model_fields) == 1:
                    model.model_validate({name: example})
                tried += 1
    assert tried > 60


def models_of(app: Any) -> set[type[BaseModel]]:
    """Return every model that a route takes or shows."""
    found: set[type[BaseModel]] = set()

    def add(kind: Any) -> None:
        for part in getattr(kind, "__args__", ()):
            add(part)
        if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in found:
            found.add(kind)
            for field in kind.model_fields.values():
                add(field.annotation)

    for _, route in declared_routes(app.routes):
        for parameter in route.original_route.dependant.body_params:
            add(parameter.field_info.annotation)
        add(route.original_route.response_model)
    return found

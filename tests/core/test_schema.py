"""Schemas are what JSON Schema 2020-12 calls one, and heads are told from each other."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from archscope.core.errors import ArchscopeError
from archscope.core.schema import body, dumped, headed, kinds, schema


@pytest.mark.parametrize("kind", kinds())
def test_a_schema_is_one_and_needs_no_other_file(kind: str) -> None:
    found = schema(kind)
    Draft202012Validator.check_schema(found)
    assert found["properties"]["kind"] == {"const": kind}
    assert found["description"].endswith((".", "flags."))
    used = set(json.dumps(found).split('"#/$defs/')[1:])
    assert {each.partition('"')[0] for each in used} == set(found["$defs"])


def test_no_shared_definition_is_there_for_nothing() -> None:
    from archscope.core.schema import _FOLDER

    shared = json.loads((_FOLDER / "defs.json").read_text(encoding="utf-8"))
    assert set().union(*(schema(kind)["$defs"] for kind in kinds())) == set(shared)


def test_what_has_a_head_loses_it_and_what_has_none_is_taken_as_it_is() -> None:
    assert body("verdict", headed("verdict", {"a": 1}), "x") == {"a": 1}
    assert body("verdict", {"a": 1}, "x") == {"a": 1}


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (
            {"schema_version": 2, "kind": "verdict"},
            "schema-version: 'v.json' has schema version 2, and this archscope reads up to 1\n  help:     pip",
        ),
        (
            {"schema_version": "1"},
            "schema-version: 'v.json' has schema version '1'\n  expected: a whole number up to 1",
        ),
        ({"schema_version": 0}, "schema-version: 'v.json' has schema version '0'\n  expected: a whole number up to 1"),
        ({"schema_version": True}, "schema-version: 'v.json' has schema version 'True'\n  expected: a whole number up"),
        ({"kind": "sweep"}, "other-kind: 'v.json' is of kind 'sweep', not 'verdict'"),
        ({"kind": ["sweep"]}, """other-kind: 'v.json' is of kind "['sweep']", not 'verdict'"""),
    ],
)
def test_another_kind_and_a_version_that_is_not_known_are_errors(head: dict[str, Any], text: str) -> None:
    with pytest.raises(ArchscopeError) as caught:
        body("verdict", {**head, "verdict": "learns"}, "'v.json'")
    assert str(caught.value).startswith(text)


def test_numbers_that_json_has_not_become_texts_wherever_they_stand() -> None:
    found = dumped({"a": [1.5, math.nan, (math.inf, {"b": -math.inf})], "c": None, "d": "é"})
    assert found == '{"a": [1.5, "nan", ["inf", {"b": "-inf"}]], "c": null, "d": "é"}'

"""The JSON Schema of a plan where profiles share a key."""

from __future__ import annotations

import json

from isthmus.study.schema import plan_schema


def test_a_key_of_several_profiles_takes_what_any_of_them_takes() -> None:
    """Families of IBSI and of PyRadiomics are both completed; a default that differs makes no second kind."""
    keys = plan_schema()["$defs"]["FeatureBlock"]["properties"]
    assert {"gldm", "ngldm"} <= {
        name for kind in keys["families"]["anyOf"] for name in kind.get("items", {}).get("enum", ())
    }
    assert "anyOf" not in keys["by_slice"]
    assert json.dumps(keys["interpolation"]).count("cubic_spline") >= 1


def test_filters_are_names_or_tables_with_a_name() -> None:
    """As a plan may write them."""
    items = plan_schema()["$defs"]["FeatureBlock"]["properties"]["filters"]["items"]["anyOf"]
    assert {"none", "log", "wavelet"} <= set(items[0]["enum"])
    assert items[1]["required"] == ["name"]


def test_a_block_may_say_a_part_of_its_encoder() -> None:
    """What it leaves out, [deep] says; in [deep] itself an encoder is whole."""
    parts = plan_schema()["$defs"]
    encoder = parts["FeatureBlock"]["properties"]["encoder"]
    assert ("required" in encoder, "layer" in encoder["properties"]) == (False, True)
    assert parts["EncoderSettings"]["required"] == ["network", "weights"]


def test_clinical_columns_are_a_table_or_a_list_of_names() -> None:
    """An editor takes both ways of writing them."""
    columns = plan_schema()["$defs"]["ClinicalSettings"]["properties"]["columns"]
    assert [choice["type"] for choice in columns["anyOf"]] == ["object", "array"]

"""The families' tables of features."""

from __future__ import annotations

import csv
import importlib
import pkgutil
from pathlib import Path

import pytest

import isthmus.features
from isthmus import _core
from isthmus.features import ibsi
from isthmus.features.families import FAMILIES

# the fast path of the core does not hold a family of slices, nor those of one profile alone
ELSEWHERE = {"shape2D", "fractal", "moment"}


def test_every_family_module_is_in_the_mapping() -> None:
    """A module of the folder that is a family is named in FAMILIES."""
    names = [info.name for info in pkgutil.iter_modules(isthmus.features.__path__)]
    modules = [importlib.import_module(f"isthmus.features.{name}") for name in names]
    families = {module.NAME for module in modules if hasattr(module, "FEATURES")}
    assert families - ELSEWHERE == set(FAMILIES)


def test_families_are_in_the_cores_order() -> None:
    """Python and C++ agree on the families and their order."""
    assert list(FAMILIES) == _core.family_names()


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_in_the_cores_order(family: str) -> None:
    """Python and C++ agree on the names of a family's features and their order."""
    assert [spec.name for spec in FAMILIES[family].FEATURES] == _core.feature_names(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_feature_has_a_formula(family: str) -> None:
    """The documentation can print a formula for each."""
    assert all(spec.formula for spec in FAMILIES[family].FEATURES)


def test_ibsi_codes_exist(shared_data: Path) -> None:
    """Every code is one of IBSI's, and no feature shares one without a parameter or another aggregation."""
    with (shared_data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        known = {row["feature_ibsi_id"] for row in csv.DictReader(file)}
    codes = [spec.ibsi for module in FAMILIES.values() for spec in module.FEATURES if spec.ibsi]
    assert set(codes) <= known
    assert len(codes) == len(set(codes)) == 102


def test_the_ibsi_tables_are_the_manuals(shared_data: Path) -> None:
    """Tag and code of every feature of every IBSI family, in the manual's order."""
    known: dict[str, list[tuple[str, str]]] = {}
    with (shared_data / "ibsi" / "ibsi1_reference.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            feature = (row["tag"], row["feature_ibsi_id"])
            if row["family"] in ibsi.FAMILIES and feature not in known.setdefault(row["family"], []):
                known[row["family"]].append(feature)
    tables = {name: [(spec.tag, spec.ibsi) for spec in module.FEATURES] for name, module in ibsi.FAMILIES.items()}
    assert tables == known

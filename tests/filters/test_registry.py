"""The registry of filters: names, settings, and what a wrong one says."""

import numpy as np
import pytest
from pydantic import TypeAdapter

from isthmus.filters import FILTERS, FilterList, filter_labels, parse_filter, response_maps
from isthmus.filters._spec import widened
from isthmus.filters.settings import FiltersSettings
from isthmus.image.io import from_array

BOX = (slice(1, 3), slice(0, 2), slice(2, 4))


def test_a_name_alone_gives_the_defaults():
    """A filter without settings is written as its name."""
    assert TypeAdapter(FilterList).validate_python(["none"]) == (parse_filter({"name": "none"}),)


def test_the_section_leaves_settings_to_the_profile():
    """[filters] checks names only: a profile may know settings (bin_width) that the filter does not."""
    assert FiltersSettings(use=["none", {"name": "square", "bin_width": 2}]).use is not None


def test_the_section_knows_the_names():
    """A misspelt filter is found before any profile is asked."""
    with pytest.raises(ValueError, match="filter 'nome' is not known.*none"):
        FiltersSettings(use=["nome"])


def test_an_unknown_filter_is_named_with_a_suggestion():
    """A misspelt filter is an error that offers the right name."""
    with pytest.raises(ValueError, match="filter 'nome' is not known.*none"):
        parse_filter("nome")


def test_an_unknown_setting_is_named():
    """A misspelt setting of a filter is an error."""
    with pytest.raises(ValueError, match="filter 'none' has no setting 'sigma'"):
        parse_filter({"name": "none", "sigma": 1})


def test_the_same_map_twice_is_an_error():
    """Two filters whose maps would share a label are refused."""
    with pytest.raises(ValueError, match="original would be computed twice"):
        TypeAdapter(FilterList).validate_python(["none", "none"])


def test_no_filter_gives_the_image():
    """The map of `none` is the image in the box."""
    image = from_array(np.arange(60, dtype=np.int16).reshape(3, 4, 5), (1, 1, 1))
    (only,) = response_maps(image, BOX, parse_filter("none"))
    assert (only == image.values[BOX]).all()


def test_a_box_widens_to_the_borders_and_no_further():
    """The margin is cut at the image's borders, and the box is found again inside."""
    outer, inner = widened(BOX, (5, 1, 1), (4, 4, 5))
    assert outer == (slice(0, 4), slice(0, 3), slice(1, 5))
    assert inner == (slice(1, 3), slice(0, 2), slice(1, 3))


def test_every_filter_has_what_the_registry_expects():
    """Each module names itself, labels its maps and applies."""
    for name, module in FILTERS.items():
        assert name == module.NAME
        assert module.Settings.model_fields["name"].default == name
        assert callable(module.apply)
        assert callable(module.labels)
    assert filter_labels(parse_filter("none")) == ("original",)

"""What all tests share: where the reference data lie, and that nothing reaches for a display or the network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from isthmus.study.result import Result

os.environ.setdefault("MPLBACKEND", "Agg")
# the processes of a run share the cores: threads of BLAS and of torch beside them would only wait for one another
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ROOT = Path(__file__).resolve().parents[1]


LONGEST = (
    "report/test_html.py",
    "study/test_examples.py",
    "report/figures/test_figures.py",
    "cli/test_bad_input.py",
    "select/test_selectors.py",
    "cli/test_main_job.py",
    "study/audit/test_power.py",
    "study/audit/test_variants.py",
    "study/test_clinical_run.py",
    "study/test_supervoxel_blocks.py",
    "deep/test_train.py",
    "reference/test_pyradiomics.py",
    "conformance/test_estimators.py",
)
"""Files that several processes begin with: a long one at the end would leave the others without work."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several processes (`-n 2`) share the files, not the tests, out: what the tests of a file share is made once, not once in each.

    pytest 9.2 no longer has the private name by which xdist 3.8 marks its groups: `--dist loadgroup` alone groups nothing.
    """
    from xdist.scheduler import LoadFileScheduling

    config.option.loadscopereorder = False  # in the order of the items, not of the number of tests in a file
    return LoadFileScheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Several processes begin with the longest files."""
    if hasattr(config, "workerinput"):
        place = {ROOT / "tests" / name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path, len(LONGEST)))


def data_folder() -> Path | None:
    """The reference data: `ISTHMUS_DATA`, or `../shared/data` beside the checkout."""
    named = os.environ.get("ISTHMUS_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of reference data; absent, the test is skipped with the reason (in CI it must be there)."""
    folder = data_folder()
    if folder is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI needs the reference data: ../shared/data beside the checkout, or ISTHMUS_DATA")
        pytest.skip("no reference data: neither ISTHMUS_DATA nor ../shared/data beside the checkout exists")
    return folder


@pytest.fixture(scope="session", autouse=True)
def only_the_page() -> Iterator[dict[str, Any]]:
    """Figures as a page shows them (svg and the numbers): png and pdf are two thirds of a report's time, and drawn for `printed`."""
    from isthmus.report.figures import _save

    formats = _save.PRINTED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_save, "PRINTED", {})
        yield formats


@pytest.fixture
def printed(only_the_page: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures as a user gets them: png and pdf too."""
    from isthmus.report.figures import _save

    monkeypatch.setattr(_save, "PRINTED", only_the_page)


def _other_outcome(task: str, folder: Path) -> Result:
    from isthmus.study.plan import Plan
    from isthmus.study.run import run_study
    from study.outcomes import document

    return run_study(Plan.parse(document(folder, task), base=folder), folder / "run", workers=1)


@pytest.fixture(scope="session")
def survival_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished study of a time to event: two Cox models, an external centre."""
    return _other_outcome("survival", tmp_path_factory.mktemp("survival"))


@pytest.fixture(scope="session")
def multiclass_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished study of three classes: two models, an external centre."""
    return _other_outcome("multiclass", tmp_path_factory.mktemp("multiclass"))


@pytest.fixture(scope="session")
def ordinal_run(tmp_path_factory: pytest.TempPathFactory) -> Result:
    """The same with ordered classes."""
    return _other_outcome("ordinal", tmp_path_factory.mktemp("ordinal"))

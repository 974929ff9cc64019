"""Where the configuration is, and when it must be there."""

from pathlib import Path

import pytest

from taskd.model.errors import StoreError
from taskd.places import find_places


@pytest.fixture
def missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TASKD_STATE_DIR", str(tmp_path))
    monkeypatch.delenv("TASKD_CONFIG", raising=False)
    return tmp_path / "taskd.yaml"


def test_default_configuration_need_not_be_there(missing: Path) -> None:
    places = find_places()

    places.require_config()
    assert places.config == missing


def test_configuration_named_by_an_option_must_be_there(missing: Path) -> None:
    with pytest.raises(StoreError, match=f"cannot read {missing}: No such file or directory"):
        find_places(config=str(missing)).require_config()


def test_configuration_named_in_the_environment_must_be_there(
    missing: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKD_CONFIG", str(missing))

    with pytest.raises(StoreError, match=f"cannot read {missing}: No such file or directory"):
        find_places().require_config()

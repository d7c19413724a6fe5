"""Finding the documents in a checkout and in a wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from mockzoom import resources
from mockzoom.errors import UsageError


def test_a_checkout_has_the_documents_beside_the_package() -> None:
    """The folders of the repository are found as they are."""
    assert resources.spec_path("rtms-events.openapi.yaml").is_file()
    assert resources.contracts_path().name == "contracts"


def test_a_wheel_carries_copies_inside_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The underscored folders of an installed package win over folders that lie beside it."""
    package = tmp_path / "site-packages" / "mockzoom"
    for folder in (package / "_spec", package / "_contracts", package.parent / "spec"):
        folder.mkdir(parents=True)
    (package / "_spec" / "a.yaml").touch()
    monkeypatch.setattr(resources, "_PACKAGE", package)
    assert resources.spec_path("a.yaml") == package / "_spec" / "a.yaml"
    assert resources.contracts_path() == package / "_contracts"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A document or a folder that is not there is one clear line."""
    with pytest.raises(UsageError, match=r"no contract document 'nothing\.yaml'"):
        resources.spec_path("nothing.yaml")
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "mockzoom")
    with pytest.raises(UsageError, match="no contracts/ folder"):
        resources.contracts_path()

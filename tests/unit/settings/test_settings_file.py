"""Settings: their file, the environment above it, and what is never kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinbeam.errors import RecipeError, StorageError
from twinbeam.settings import (
    VARIABLES,
    Settings,
    choose,
    fill_environment,
    forget,
    read_key,
    read_settings,
    remember,
    settings_path,
)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a user who has set nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return settings_path()


def test_what_is_remembered_is_read_again_and_only_by_its_owner(path: Path) -> None:
    assert read_settings() == Settings()
    remember("workers", "3")
    assert remember("page_port", "5570") == Settings(workers=3, page_port=5570)
    assert read_settings() == Settings(workers=3, page_port=5570)
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["settings.yaml"]
    assert forget("workers") == Settings(page_port=5570) == read_settings()


def test_a_path_means_the_same_from_every_folder(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert remember("catalog", "runs").catalog == str(tmp_path / "runs")
    path.write_text("catalog: runs\n")
    with pytest.raises(RecipeError, match="no absolute path"):
        read_settings()


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("worker", "2", "did you mean 'workers'"),
        ("workers", "0", "greater than or equal to 1"),
        ("page_port", "70000", "65535"),
        ("live_control", "127.0.0.1:5579", "live_control"),
        ("tiled_uri", "http://host:8000?api_key=secret", "holds a key"),
        ("tiled_uri", "http://me:secret@host", "holds a key"),
        ("live_token", "secret", "tokens are not kept"),
        ("tiled_api_key", "secret", "tiled_api_key_file"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    path: Path, key: str, value: str, message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        remember(key, value)
    assert not path.exists()


def test_a_broken_line_can_be_taken_out_by_its_name(path: Path) -> None:
    remember("workers", "2")
    path.write_text(path.read_text() + "workerz: 3\n")
    with pytest.raises(RecipeError, match="workerz"):
        read_settings()
    assert forget("workerz") == Settings(workers=2)


def test_a_variable_stands_above_the_file_and_the_file_above_nothing() -> None:
    file = Settings(workers=3, catalog="/runs", tiled_uri="http://host:8000")
    chosen = choose(file, {"TWINBEAM_WORKERS": "2"})
    assert (chosen["workers"].value, chosen["workers"].source) == (2, "environment")
    assert (chosen["catalog"].value, chosen["catalog"].source) == ("/runs", "file")
    assert (chosen["page_port"].value, chosen["page_port"].source) == (None, "default")
    # a catalogue in the environment is not hidden by a server in the file
    where = choose(file, {"TWINBEAM_CATALOG": "here"})
    assert (where["tiled_uri"].value, where["catalog"].value) == (None, "here")
    with pytest.raises(RecipeError, match="TWINBEAM_WORKERS"):
        choose(file, {"TWINBEAM_WORKERS": "many"})


def test_the_profile_reads_the_file_as_its_environment(path: Path, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0123456789abcdef\n")
    key.chmod(0o600)
    remember("site", "simulated")
    remember("tiled_api_key_file", str(key))
    environment = {"TWINBEAM_DATA_DIR": "/raw"}
    fill_environment(environment)
    assert environment["TWINBEAM_SITE"] == "simulated"
    assert environment["TWINBEAM_DATA_DIR"] == "/raw"
    assert environment["TWINBEAM_TILED_API_KEY"] == "0123456789abcdef"
    assert "TWINBEAM_CATALOG" not in environment


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0123456789abcdef\n")
    key.chmod(0o644)
    with pytest.raises(StorageError, match="chmod 600"):
        read_key(key)
    key.chmod(0o600)
    assert read_key(key) == "0123456789abcdef"
    key.write_text("\n")
    with pytest.raises(StorageError, match="holds no key"):
        read_key(key)


def test_every_setting_has_a_sentence_and_a_variable() -> None:
    assert list(VARIABLES) == list(Settings.model_fields)
    assert all(field.description for field in Settings.model_fields.values())

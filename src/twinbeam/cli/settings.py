"""`twinbeam settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from twinbeam.cli.console import out, plain, show_json, warning

__all__ = ["settings"]

settings = typer.Typer(
    help="What all commands and the profile take when nothing else is said.",
    invoke_without_command=True,
)

_Json = Annotated[bool, typer.Option("--json", help="Print as JSON on stdout.")]


def _names(incomplete: str) -> list[str]:
    """Settings that begin so, for the completion of a shell."""
    from twinbeam.settings import VARIABLES

    return [name for name in VARIABLES if name.startswith(incomplete)]


_Key = Annotated[
    str, typer.Argument(help="Name of a setting.", metavar="KEY", autocompletion=_names)
]


@settings.callback()
def show(context: typer.Context, as_json: _Json = False) -> None:
    """What all commands and the profile take when nothing else is said.

    Without a further word: every setting, and whether it comes from an environment variable, the
    file or nowhere. An option of a command stands above the environment, the environment above the
    file, and the file above the default. Keys and tokens are never in the file.

    Example: twinbeam settings

    Example: twinbeam settings set workers 2
    """
    if context.invoked_subcommand is not None:
        return
    from twinbeam.settings import VARIABLES, Settings, choose, settings_path

    chosen, path = choose(), settings_path()
    if as_json:
        values = {key: {"value": c.value, "source": c.source} for key, c in chosen.items()}
        show_json({"file": str(path), "exists": path.exists(), "settings": values})
        return
    table = Table(title=plain(str(path)), title_justify="left", title_style="bold", box=None)
    table.add_column("setting", style="cyan", no_wrap=True)
    table.add_column("value", overflow="fold")
    table.add_column("from", no_wrap=True)
    for key, setting in chosen.items():
        source = VARIABLES[key] if setting.source == "environment" else setting.source
        about = f"[dim]{plain(Settings.model_fields[key].description or '')}[/]"
        value = about if setting.value is None else f"[bold]{plain(str(setting.value))}[/]"
        table.add_row(key, value, source)
    out.print(table)
    if not path.exists():
        out.print("there is no such file yet; 'twinbeam settings set KEY VALUE' makes it")


@settings.command("set")
def set_(
    key: _Key,
    value: Annotated[str, typer.Argument(help="Its value.", metavar="VALUE")],
    as_json: _Json = False,
) -> None:
    """Remember a value; it is checked before it is written.

    Example: twinbeam settings set catalog twinbeam-demo/catalog
    """
    from twinbeam.settings import remember, settings_path

    _check(key, value)
    changed = remember(key, value)
    _say(key, getattr(changed, key), settings_path(), as_json)


@settings.command()
def unset(key: _Key, as_json: _Json = False) -> None:
    """Forget a value, also one that cannot be.

    Example: twinbeam settings unset workers
    """
    from twinbeam.settings import forget, settings_path

    forget(key)
    _say(key, None, settings_path(), as_json)


@settings.command()
def path() -> None:
    """Print where the file is.

    Example: twinbeam settings path
    """
    from twinbeam.settings import settings_path

    print(settings_path())


def _check(key: str, value: str) -> None:
    """Refuse what is already known to be of no use, and tell of what may be."""
    if key == "recipe":
        from twinbeam.pipeline import Recipe

        Recipe.load(Path(value).expanduser())
    elif key == "site":
        from twinbeam.devices import load_site

        load_site(Path(value).expanduser() if Path(value).expanduser().is_file() else value)
    elif key == "tiled_api_key_file":
        from twinbeam.settings import read_key

        read_key(value)
    elif key == "catalog" and not (Path(value).expanduser() / "catalog.db").exists():
        warning(f"{value}: no catalogue is there yet; the profile makes it when it starts")


def _say(key: str, value: Any, where: Path, as_json: bool) -> None:
    from twinbeam.settings import choose

    now = choose().get(key)
    if as_json:
        in_effect = None if now is None else now.value
        show_json({"key": key, "value": value, "file": str(where), "in_effect": in_effect})
        return
    done = f"{key} is forgotten" if value is None else f"{key} = {value}"
    out.print(plain(f"{done}, in {where}"), soft_wrap=True)
    if now is not None and now.source == "environment":
        warning(f"an environment variable stands above it now: {now.value}")

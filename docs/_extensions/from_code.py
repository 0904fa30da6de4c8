"""Directives that say what the code says: help of commands, and parameters of a model."""

from __future__ import annotations

import importlib
from typing import Any, ClassVar

import click
import typer
from docutils import nodes
from docutils.parsers.rst import Directive, directives
from pydantic import BaseModel
from sphinx.application import Sphinx

_WIDTH = 88


def help_text(words: list[str]) -> str:
    """What a command prints for `--help`, without decoration."""
    from twinbeam.cli.app import app

    command: Any = typer.main.get_command(app)
    context = click.Context(command, info_name="twinbeam")
    for word in words:
        command = command.get_command(context, word)
        context = click.Context(command, info_name=word, parent=context)
    context.terminal_width = context.max_content_width = _WIDTH
    return str(click.Command.get_help(_plain(command), context)).strip()


def _plain(command: Any) -> Any:
    # rich's panels are for terminals; a page has its own
    command.rich_markup_mode = None
    return command


class CommandHelp(Directive):
    """``command-help``: the help of the command that is its content."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """A literal block for each line of the content."""
        return [
            nodes.literal_block(text, text, language="text")
            for line in self.content
            for text in [help_text(line.split()[1:])]
        ]


class ModelFields(Directive):
    """``model-fields``: a table of the fields of a model, named `package.Name`, group by group."""

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"title": directives.unchanged}

    def run(self) -> list[nodes.Node]:
        """A definition list for each group of fields."""
        module, _, name = self.arguments[0].rpartition(".")
        model: type[BaseModel] = getattr(importlib.import_module(module), name)
        out: list[nodes.Node] = []
        alone = nodes.definition_list()
        for key, field in model.model_fields.items():
            group = field.annotation
            if isinstance(group, type) and issubclass(group, BaseModel):
                title = nodes.rubric("", "", nodes.literal(key, key))
                out += [title, nodes.paragraph("", field.description or "")]
                out.append(
                    nodes.definition_list("", *(_item(n, f) for n, f in group.model_fields.items()))
                )
            else:
                alone += _item(key, field)
        return [alone, *out] if len(alone) else out


def _item(name: str, field: Any) -> nodes.definition_list_item:
    default = field.get_default(call_default_factory=True)
    term = nodes.term("", "", nodes.literal(name, name), nodes.Text(f" = {_short(default)}"))
    return nodes.definition_list_item(
        "", term, nodes.definition("", nodes.paragraph("", field.description or ""))
    )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def setup(app: Sphinx) -> dict[str, Any]:
    """Make the directives known."""
    app.add_directive("command-help", CommandHelp)
    app.add_directive("model-fields", ModelFields)
    return {"parallel_read_safe": True}

"""`savor chat`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import print_json
from savor.core.errors import SavorError
from savor.core.progress import console, progress

if TYPE_CHECKING:
    from savor.assistant.conversation import Assistant
    from savor.assistant.described import Item

_ENDS = frozenset({"quit", "exit", "bye"})


def chat(
    user: Annotated[str, typer.Argument(help="Id of the user.")],
    directory: Directory = Path(),
    messages: Annotated[
        list[str] | None,
        typer.Option("--message", "-m", help="A message, instead of a conversation; once for each turn."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Talk with the assistant, which finds items of the live bundle by what is said in words."""
    from savor.api.chat_bodies import ChatRequest
    from savor.api.chatting import Chat, whole
    from savor.api.serve import load_engine
    from savor.cli.live_overlay import live_overlay
    from savor.cli.serving_section import read_assistant, read_pipeline, read_scenarios
    from savor.core.folders import ProjectFolder

    for message in messages or ():
        _checked(user, message)
    folder = ProjectFolder(directory)
    with live_overlay(folder) as over:
        engine = load_engine(
            folder.registry, options=read_pipeline(folder), scenarios=read_scenarios(folder), over_states=over
        )
        options = read_assistant(folder)
        patient = options.model_copy(update={"first_words_seconds": options.timeout_seconds})  # nobody else waits here
        door = Chat(lambda: engine.serving, patient, base=folder.root)
        try:
            if door.talks:
                with progress("load the language model"):
                    door.model.warm_up()
            if not as_json:
                _talk(door.assistant, user, iter(messages) if messages else _typed(user))
                return
            answers: list[dict[str, Any]] = []
            for message in messages or _typed(user):
                identifier = answers[-1]["conversation_id"] if answers else None
                body = ChatRequest(user_id=user, message=message, conversation_id=identifier)
                parts = door.assistant.answer(user, body.message, identifier, patient=True)
                answers.append(whole(body, parts, engine.bundle_id))
            print_json({"user_id": user, "turns": answers})
        finally:
            door.close()


def _checked(user: str, message: str) -> None:
    """Raise SavorError for what the API would refuse."""
    from pydantic import ValidationError

    from savor.api.chat_bodies import ChatRequest

    try:
        ChatRequest(user_id=user, message=message)
    except ValidationError as error:
        wrong = (f"{one['loc'][0]}: {one['msg']}" for one in error.errors())
        raise SavorError("; ".join(dict.fromkeys(wrong)), code="validation_failed") from None


def _typed(user: str) -> Iterator[str]:
    """Messages as they are typed, until there are no more or somebody leaves; what cannot be used is told so."""
    interactive = console.is_terminal
    if interactive:
        console.print('Say what you are looking for, as "something quick for six, no pasta"; "quit" ends.', style="dim")
    while True:
        try:
            text = console.input("[bold]> [/bold]") if interactive else input()
        except (EOFError, KeyboardInterrupt):
            return
        if text.strip().lower() in _ENDS:
            return
        if not text.strip():
            continue
        try:
            _checked(user, text)
        except SavorError as error:
            console.print(str(error), style="yellow", highlight=False, markup=False)
            continue
        yield text


def _talk(assistant: "Assistant", user: str, messages: Iterator[str]) -> None:
    from savor.assistant.parts import Items, Words

    conversation: str | None = None
    for message in messages:
        if not console.is_terminal:
            console.print(f"> {message}", highlight=False, markup=False)
        source = ""
        for part in assistant.answer(user, message, conversation, patient=True, stream=True):
            if isinstance(part, Items):
                _show(part.items)
            elif isinstance(part, Words):
                if source and part.source != source:
                    console.print()
                source = part.source
                console.print(part.text, end="", highlight=False, markup=False, soft_wrap=True)
            else:
                console.print()
                conversation = part.conversation_id
                if part.fallback:
                    console.print(f"  fallback: {part.fallback}", style="yellow", highlight=False, markup=False)


def _show(items: list["Item"]) -> None:
    if not items:
        return
    table = Table("", "item", "name", "category", "price", "why")
    for place, item in enumerate(items, start=1):
        price = "" if item["price"] is None else f"{item['price']:.2f}"
        why = item["reason"]["text"]
        table.add_row(str(place), item["item_id"], item["name"], item["category"] or "", price, why)
    console.print(table)

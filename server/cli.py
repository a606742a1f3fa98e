"""The command line: reads, asks the core, prints.

Exit 0 answered, 1 needs information, 2 bad input, 70 (EX_SOFTWARE) failed inside.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer

import ivcoder
from ivcoder.answer import Audit, Classification, Coding, DenialExplanation, Ranking
from ivcoder.audit import BilledClaim
from ivcoder.book import payer_named, payers
from ivcoder.encounter import Encounter
from ivcoder.faults import Fault, InvalidInput
from ivcoder.server import cli_data, reading

ANSWERED, NEEDS_INFORMATION, BAD_INPUT, FAILED_INSIDE, INTERRUPTED = 0, 1, 2, 70, 130

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="From what was charted to drug-administration codes with reasons.",
)
app.add_typer(cli_data.app, name="data")

Arguments = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE | - | ADMINISTRATION...",
        help='A JSON file, - for standard input, or administrations: "Solu-Medrol 125 mg iv push 09:00-09:03".',
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="The answer as JSON on standard output, nothing else.")]
Drugs = Annotated[
    Path | None, typer.Option("--drugs", metavar="FILE.toml", help="Your own drug table; also IVCODER_DRUGS.")
]
Place = Annotated[str | None, typer.Option("--pos", metavar="CODE", help="Place of service, such as 22.")]
Day = Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="Date of service.")]
Whose = Annotated[str | None, typer.Option("--claim", metavar="facility|professional", help="Whose claim it is.")]
Payer = Annotated[str | None, typer.Option("--payer", metavar="NAME", help="The payer, such as medicare.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="ID", help="The administration the visit was for.")]
Stop = Annotated[str | None, typer.Option("--undocumented-stop", metavar="push|ask", help="Policy for a missing stop.")]
Stacked = Annotated[bool, typer.Option("--stacked", help="Join additional pushes on one line with units.")]

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Showing: TypeAlias = "Callable[[Console], RenderableType]"
Answer = TypeVar("Answer", Classification, Ranking, Coding)
Said = TypeVar("Said", Classification, Ranking, Coding, DenialExplanation, Audit)


def _given(arguments: list[str], options: Mapping[str, object]) -> Encounter:
    """The encounter from a document, or from short text and options."""
    if reading.is_document(arguments):
        return Encounter.read({**reading.document(arguments[0]), **options})
    from ivcoder.server import shorthand

    rows = [shorthand.administration(text, number) for number, text in enumerate(arguments, 1)]
    if "place_of_service" not in options:
        raise InvalidInput(Fault("--pos", "is missing", "the place of service, such as --pos 22"))
    return Encounter.read({**options, "administrations": rows})


def _answer(
    ask: Callable[..., Answer],
    page: Callable[[Encounter, Answer], Showing],
    arguments: list[str],
    options: Mapping[str, object],
    drugs: Path | None,
    as_json: bool,
) -> int:
    encounter = _given(arguments, options)
    return _said(ask(encounter, drugs=reading.drug_table(drugs)), partial(page, encounter), as_json)


def _said(answer: Said, page: Callable[[Said], Showing], as_json: bool) -> int:
    """Print an answer, as JSON or for people; the exit status it has."""
    if as_json:
        sys.stdout.write(answer.model_dump_json(by_alias=True) + "\n")
    else:
        _show(page(answer))
    return NEEDS_INFORMATION if answer.status == "needs_information" else ANSWERED


def _show(showing: Showing) -> None:
    from ivcoder.server import terminal

    terminal.show(showing)


def _coding_page(encounter: Encounter, answer: Coding) -> Showing:
    from ivcoder.server import terminal

    return lambda console: terminal.coding_page(encounter, answer, console)


def _classification_page(encounter: Encounter, answer: Classification) -> Showing:
    from ivcoder.server import terminal

    return lambda _: terminal.classification_page(encounter, answer)


def _ranking_page(encounter: Encounter, answer: Ranking) -> Showing:
    from ivcoder.server import terminal

    return lambda _: terminal.ranking_page(encounter, answer)


def _denial_page(answer: DenialExplanation) -> Showing:
    from ivcoder.server import terminal

    return lambda _: terminal.denial_page(answer)


def _audit_page(claim: BilledClaim, answer: Audit) -> Showing:
    from ivcoder.server import terminal

    return lambda _: terminal.audit_page(claim, answer)


def _options(
    place: str | None,
    day: str | None,
    claim: str | None,
    payer: str | None,
    reason: str | None,
    stop: str | None,
    stacked: bool,
) -> dict[str, object]:
    """The options that were given, by the encounter's fields."""
    options = {
        "place_of_service": place,
        "date_of_service": day,
        "claim": claim,
        "payer": payer,
        "primary_reason": reason,
        "undocumented_stop": stop,
        "lines": "stacked" if stacked else None,
    }
    return {name: value for name, value in options.items() if value is not None}


@app.command()
def classify(
    what: Arguments,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
    undocumented_stop: Stop = None,
) -> int:
    """What kind of service was each administration?"""
    options = _options(pos, date, claim, payer, reason, undocumented_stop, False)
    return _answer(ivcoder.classify_administration, _classification_page, what, options, drugs, as_json)


@app.command()
def rank(
    what: Arguments,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
    undocumented_stop: Stop = None,
) -> int:
    """Which service is the initial one?"""
    options = _options(pos, date, claim, payer, reason, undocumented_stop, False)
    return _answer(ivcoder.rank_services, _ranking_page, what, options, drugs, as_json)


@app.command()
def select(
    what: Arguments,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
    undocumented_stop: Stop = None,
    stacked: Stacked = False,
) -> int:
    """Which codes and units does the encounter support, and why?"""
    options = _options(pos, date, claim, payer, reason, undocumented_stop, stacked)
    from ivcoder.server import store

    ask = partial(ivcoder.select_push_codes, tables=store.stored())
    return _answer(ask, _coding_page, what, options, drugs, as_json)


@app.command()
def document(
    what: Arguments,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
) -> int:
    """What must the record show for each line, and what does it lack?"""
    encounter = _given(what, _options(pos, date, claim, payer, reason, None, False))
    coding = ivcoder.select_push_codes(encounter, drugs=reading.drug_table(drugs))
    if as_json:
        line = {"code", "units", "modifiers", "administrations", "record"}
        text = coding.model_dump_json(by_alias=True, include={"lines": {"__all__": line}, "documentation": True})
        sys.stdout.write(f"{text}\n")
        return ANSWERED
    from ivcoder.server import terminal

    _show(lambda _: terminal.document_page(encounter, coding))
    return ANSWERED


@app.command()
def query(
    what: Arguments,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
) -> int:
    """A query to who gave the drugs, in neutral words, ready to send."""
    encounter = _given(what, _options(pos, date, claim, payer, reason, None, False))
    coding = ivcoder.select_push_codes(encounter, drugs=reading.drug_table(drugs))
    if as_json:
        sys.stdout.write(json.dumps({"nurse_query": coding.nurse_query}) + "\n")
    else:
        nothing = "Nothing is to be asked: the record shows what this input can hold."
        sys.stdout.write(f"{coding.nurse_query or nothing}\n")
    return ANSWERED


@app.command()
def explain(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE | - | LINE...",
            help='A JSON file, - for standard input, or billed lines: 96413 "96375 Benadryl:denied:CO-97".',
        ),
    ],
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
) -> int:
    """Why was a line denied, is the payer right, and what now?"""
    options = _options(pos, date, claim, payer, None, None, False)
    from ivcoder.server import shorthand, store

    if len(what) > 1 or shorthand.is_billed_line(what[0]):
        given: dict[str, object] = {
            "billed_lines": [shorthand.billed_line(text, at) for at, text in enumerate(what, 1)]
        }
    else:
        given = dict(reading.document(what[0]))
    answer = ivcoder.explain_denial({**given, **options}, drugs=reading.drug_table(drugs), tables=store.stored())
    return _said(answer, _denial_page, as_json)


@app.command()
def audit(
    what: Arguments,
    billed: Annotated[
        list[str] | None,
        typer.Option(
            "--billed",
            metavar="LINE",
            help="A billed line, such as 96375x2; once for each. Without it the file holds encounter and billed_lines.",
        ),
    ] = None,
    as_json: AsJson = False,
    drugs: Drugs = None,
    pos: Place = None,
    date: Day = None,
    claim: Whose = None,
    payer: Payer = None,
    reason: Reason = None,
    undocumented_stop: Stop = None,
) -> int:
    """Does the record support what was billed, and what was missed?"""
    options = _options(pos, date, claim, payer, reason, undocumented_stop, False)
    given = _billed_claim(what, billed or [], options)
    from ivcoder.server import store

    answer = ivcoder.audit_claim(given, drugs=reading.drug_table(drugs), tables=store.stored())
    return _said(answer, partial(_audit_page, given), as_json)


def _billed_claim(what: list[str], billed: list[str], options: Mapping[str, object]) -> BilledClaim:
    """The billed claim from a document, or from an encounter and billed lines as short text."""
    if billed:
        from ivcoder.server import shorthand

        lines = [shorthand.billed_line(text, at) for at, text in enumerate(billed, 1)]
        return BilledClaim.read({"encounter": _given(what, options), "billed_lines": lines})
    if not reading.is_document(what):
        raise InvalidInput(Fault("--billed", "is missing", "the billed lines, such as --billed 96374"))
    given = dict(reading.document(what[0]))
    encounter = given.get("encounter")
    if options and isinstance(encounter, dict):
        given["encounter"] = {**encounter, **options}
    return BilledClaim.read(given)


@app.command()
def rules(
    rule: Annotated[str | None, typer.Argument(metavar="[ID]", help="One rule's page; all without it.")] = None,
    payer: Payer = None,
    diff: Annotated[bool, typer.Option("--diff", help="Only what differs for the payer.")] = False,
) -> int:
    """The rules, or one rule's page; with --payer, those a payer changes."""
    from ivcoder.server import pages

    if payer is not None:
        return _payers_rules(payer, rule, diff)
    if diff:
        raise InvalidInput(Fault("--diff", "has no payer", "a payer, such as --payer medicare"))
    if rule is None:
        _show(lambda _: pages.rule_table())
        return ANSWERED
    known = pages.known_rule(rule)
    if known is None:
        near = pages.rules_like(rule)
        right = f"one that `ivcoder rules` lists{', perhaps ' + ' or '.join(near) if near else ''}"
        raise InvalidInput(Fault("rule", "is not a rule id", right))
    from rich.markdown import Markdown

    _show(lambda _: Markdown(pages.rule_page(known)))
    return ANSWERED


def _payers_rules(name: str, rule: str | None, diff: bool) -> int:
    """The rules as one payer changes them, or that nothing is known of the payer."""
    from rich.text import Text

    from ivcoder.server import pages

    if rule is not None:
        raise InvalidInput(Fault("rule", "stands beside a payer", "a rule or a payer, not both"))
    known = payer_named(name)
    if known is None:
        words = f"No data on this payer. Known: {', '.join(payers())}."
        _show(lambda _: Text(words))
        return NEEDS_INFORMATION
    _show(lambda _: pages.payer_table(known) if diff else pages.rule_table(known))
    return ANSWERED


@app.command()
def drug(
    name: Annotated[list[str], typer.Argument(metavar="NAME", help="A brand or generic name, or a HCPCS code.")],
    drugs: Drugs = None,
) -> int:
    """What the formulary says of a drug."""
    from rich.text import Text

    from ivcoder.server import pages

    book = ivcoder.Rulebook.on(None, reading.drug_table(drugs))
    asked = " ".join(name)
    found = book.formulary.find(asked)
    of_code = book.formulary.by_code.get(asked.upper(), ())
    if found is None and of_code:
        _show(lambda _: pages.drug_table(of_code))
        return ANSWERED
    if found is None:
        near = book.formulary.like(asked)
        words = "Not in the formulary." + (f" Did you mean {' or '.join(near)}?" if near else "")
        _show(lambda _: Text(words))
        return NEEDS_INFORMATION
    _show(lambda _: pages.drug_table((found, *book.formulary.kin(found))))
    return ANSWERED


@app.command()
def demo() -> int:
    """Code a published encounter: three premedications before a rituximab infusion."""
    encounter = Encounter.read(DEMO)
    _show(_coding_page(encounter, ivcoder.select_push_codes(encounter)))
    return ANSWERED


@app.command()
def serve(drugs: Drugs = None) -> int:
    """Serve the tools, prompts and rules to an assistant over MCP (standard input and output)."""
    from ivcoder.server import store
    from ivcoder.server.mcp import serve as run

    run(reading.drug_table(drugs), store.stored())
    return ANSWERED


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False
) -> None:
    if version:
        sys.stdout.write(f"ivcoder {ivcoder.__version__}\n")
        raise typer.Exit
    if context.invoked_subcommand is None:
        sys.stderr.write(f"{context.get_help()}\n")
        raise typer.Exit(BAD_INPUT)


DEMO: Mapping[str, object] = {
    "date_of_service": "2026-03-02",
    "place_of_service": "22",
    "administrations": [
        {"id": "1", "drug": "Solu-Medrol", "route": "iv_push", "start": "09:00", "stop": "09:03", "dose": "125 mg"},
        {"id": "2", "drug": "Benadryl", "route": "iv_push", "start": "09:05", "stop": "09:09", "dose": "50 mg"},
        {"id": "3", "drug": "Pepcid", "route": "iv_push", "start": "09:10", "stop": "09:15", "dose": "20 mg"},
        {"id": "4", "drug": "rituximab", "route": "iv_infusion", "start": "09:30", "stop": "12:30", "dose": "700 mg"},
    ],
}


def _say_faults(faults: tuple[Fault, ...]) -> None:
    """One line on standard error for each fault; with --json, one line of JSON for all of them."""
    if "--json" in sys.argv:
        rows = [{"field": fault.field, "problem": fault.problem, "right": fault.right} for fault in faults]
        sys.stderr.write(json.dumps({"errors": rows}) + "\n")
        return
    for fault in faults:
        sys.stderr.write(f"{fault}\n")


def main() -> None:
    """Run the command line; no traceback reaches the user."""
    gc.freeze()  # What is loaded by now stays to the end: the collector need not go over it again and again.
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except InvalidInput as error:
        _say_faults(error.faults)
        status = BAD_INPUT
    except typer.TyperException as error:
        _say_faults((_usage(error),))
        status = BAD_INPUT
    except (KeyboardInterrupt, typer.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader went away: keep the interpreter from flushing into the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = ANSWERED
    except Exception as error:
        _say_faults((Fault("ivcoder", f"failed inside ({type(error).__name__})", "a report with a made-up case"),))
        status = FAILED_INSIDE
    sys.exit(status if isinstance(status, int) else ANSWERED)


def _usage(error: typer.TyperException) -> Fault:
    """A usage error without the value that was typed."""
    if isinstance(error, typer.BadParameter):
        name = getattr(error.param, "human_readable_name", "argument")
        return Fault(name, "is not right" if error.message else "is missing", "see --help")
    if hasattr(error, "option_name"):
        near = " or ".join(getattr(error, "possibilities", None) or ())
        right = f"one that --help lists, perhaps {near}" if near else "one that --help lists"
        return Fault("option", "is not known, or lacks its value", right)
    return Fault("command", "is not known, or has too much behind it", "one that `ivcoder --help` lists")


if __name__ == "__main__":
    main()

"""Answers as pages a coder can read, for the snapshots."""


def codes(then):
    return ", ".join(f"{'-'.join((row.code, *row.modifiers))} x{row.units}" for row in then) or "nothing"


def head(case):
    yield from (f"# {case.title}", "", f"`{case.id}`, {case.source}: {case.where}", "")
    yield from (f"By hand: {case.reasoning}", "")
    if case.corrects:
        yield from (f"Corrects the source: {case.corrects}", "")
    if case.contested:
        yield from (f"Contested: {case.contested}", "")


def sections(*parts):
    for title, rows in parts:
        if rows:
            yield from ("", f"## {title}", *[f"- {row}" for row in rows])


def asked(questions):
    return [
        f"{row.administration or 'encounter'}.{row.field}: {row.ask} ({', '.join(row.rules)})"
        + "".join(f"\n  - if {outcome.if_}: {codes(outcome.then)}" for outcome in row.outcomes)
        for row in questions
    ]


def coding_page(case, coding):
    out = [*head(case)]
    out += [f"**{coding.status}**", ""]
    for line in coding.lines:
        label = "-".join((line.code, *line.modifiers))
        out += [f"- **{label} x{line.units}** {line.role} [{' '.join(line.administrations)}]: {line.why}"]
        out += [f"  rules: {', '.join(line.rules)}"]
        out += [f"  not {rival.code}: {rival.why} ({', '.join(rival.rules)})" for rival in line.not_instead]
    out += sections(
        (
            "Not reported",
            [f"[{' '.join(row.administrations)}] {row.why} ({', '.join(row.rules)})" for row in coding.not_reported],
        ),
        ("Questions", asked(coding.questions)),
        (
            "Notices",
            [f"{row.level}, line {row.line or '-'}: {row.why} ({', '.join(row.rules)})" for row in coding.notices],
        ),
        ("Tipping points", [f"{row.change}: {codes(row.then)}" for row in coding.tipping_points]),
    )
    return "\n".join(out) + "\n"


def corrected(row):
    return f"{codes([row])} {row.change}" + (f", was {row.was}" if row.change == "changed" else "")


def denial_page(case, answer):
    out = [*head(case), f"**{answer.verdict}**"]
    out += sections(
        ("What the payer says", answer.payer_says),
        (
            "Why",
            [f"line {row.line or '-'}, {row.verdict}: {row.why} ({', '.join(row.rules)})" for row in answer.reasons],
        ),
        (
            "Corrected claim",
            [*map(corrected, answer.corrected_lines), *[f"{code} removed" for code in answer.removed_lines]],
        ),
        ("Missing", answer.missing),
        ("Document next time", answer.document_next_time),
        ("Questions", asked(answer.questions)),
    )
    if answer.letter:
        out += ["", f"## Letter: {answer.letter_kind}", "", answer.letter]
    return "\n".join(out) + "\n"


def audit_page(case, answer):
    out = [*head(case), f"**{answer.status}**"]
    out += sections(
        *(
            (title, [f"line {row.line or '-'}, {row.code}, {row.kind}, {row.direction}: {row.why}" for row in rows])
            for title, rows in (("Findings", answer.findings), ("Undecided", answer.undecided))
        ),
        ("Matched", [f"line {row.line} with supported {row.supported}: {row.units}" for row in answer.matched]),
        ("Not audited", [f"line {row.line}, {row.code}: {row.why}" for row in answer.not_audited]),
        ("The record supports", [codes([row]) for row in answer.supported_lines]),
        ("Questions", asked(answer.questions)),
        ("Notices", [f"{row.level}, line {row.line or '-'}: {row.why}" for row in answer.notices]),
    )
    return "\n".join(out) + "\n"

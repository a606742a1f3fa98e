"""A coding as a page a coder can read, for the snapshots."""


def codes(then):
    return ", ".join(f"{'-'.join((row.code, *row.modifiers))} x{row.units}" for row in then) or "nothing"


def page(case, coding):
    out = [f"# {case.title}", "", f"`{case.id}`, {case.source}: {case.where}", "", f"By hand: {case.reasoning}", ""]
    if case.corrects:
        out += [f"Corrects the source: {case.corrects}", ""]
    if case.contested:
        out += [f"Contested: {case.contested}", ""]
    out += [f"**{coding.status}**", ""]
    for line in coding.lines:
        label = "-".join((line.code, *line.modifiers))
        out += [f"- **{label} x{line.units}** {line.role} [{' '.join(line.administrations)}]: {line.why}"]
        out += [f"  rules: {', '.join(line.rules)}"]
        out += [f"  not {rival.code}: {rival.why} ({', '.join(rival.rules)})" for rival in line.not_instead]
    for title, rows in (
        (
            "Not reported",
            [f"[{' '.join(row.administrations)}] {row.why} ({', '.join(row.rules)})" for row in coding.not_reported],
        ),
        (
            "Questions",
            [
                f"{row.administration or 'encounter'}.{row.field}: {row.ask}"
                + "".join(f"\n  - if {outcome.if_}: {codes(outcome.then)}" for outcome in row.outcomes)
                for row in coding.questions
            ],
        ),
        (
            "Notices",
            [f"{row.level}, line {row.line or '-'}: {row.why} ({', '.join(row.rules)})" for row in coding.notices],
        ),
        ("Tipping points", [f"{row.change}: {codes(row.then)}" for row in coding.tipping_points]),
    ):
        if rows:
            out += ["", f"## {title}", *[f"- {row}" for row in rows]]
    return "\n".join(out) + "\n"

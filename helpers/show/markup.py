"""Text for the report: escaped, cut to one line, fenced as code, shown in JupyterLab."""

import re


def plain(value):
    """Markdown that shows `value` as the very text it is: every sign that could mean something is escaped."""
    text = "".join(sign if sign.isprintable() else " " for sign in str(value))
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", " ".join(text.split()))


def line(markdown):
    """Markdown as one line that starts no list, heading, table or block."""
    return re.sub(r"^(?=[#:|>+~=-])", r"\\", " ".join(str(markdown).split()))


def rendered(markdown, inline=False):
    """Markdown as HTML for JupyterLab. HTML inside it is escaped; formulas are left to JupyterLab."""
    import mistune

    text = mistune.create_markdown(escape=True, plugins=["table", "footnotes"])(markdown).strip()
    text = re.sub(
        r"<p>:::+ *\{\.([a-z]+)\}",
        r'<div class="\1" style="border: 1px solid; padding: 0 1em"><p>',
        text,
    )
    text = re.sub(r"\n:::+</p>", "</p></div>", re.sub(r"<p>:::+</p>", "</div>", text))
    return text.removeprefix("<p>").removesuffix("</p>") if inline else text


def fence(text, kind):
    """A Markdown code block of a class; its fence is longer than any run of backticks inside."""
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{ticks} {{.{kind}}}\n{text}\n{ticks}\n"

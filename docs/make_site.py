"""Builds the site of the documentation: README, the pages of docs, and a reference from the code.

    python docs/make_site.py [-o DIR]     build it; by default in build/site
    python docs/make_site.py --source DIR only write the pages that it is built of

``make site`` calls it. The pages are the Markdown files as they are, so each also reads well where
the repository is shown; README is the front page. Written anew each time are the pages of the
reference: commands from the command line itself, keys from the configuration's JSON schema,
tracepoints from ``kernel.events``, guest calls from the tables of the guest language. They cannot
be out of date.

MkDocs builds it (``pip install 'smplab[docs]'``), strictly: a link to a page or a heading that is
not there, or a page that the navigation does not name, is an error, and nothing is written. The
site needs no network, neither to be built nor to be read, and can be opened from a folder; search
needs a server, as ``python -m http.server`` is one.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import typer
import yaml

from cluster.cli.app import commands_of, make_app
from cluster.cli.configs import schema_text
from cluster.cli.examples import lines
from kernel.events import EVENTS
from workloads.language.tables import MODULES, Const, Exc, Made, Pure, Routine, Sys, Value

ROOT: Final = Path(__file__).resolve().parent.parent
DOCS: Final = ROOT / "docs"

#: The pages that have a place of their own, in order; folders are listed whole.
NAV: Final[dict[str, tuple[str, ...]]] = {
    "For teachers": ("lessons/",),
    "For scheduler researchers": ("scheduler.md", "own-scheduler.md"),
    "For race researchers": (
        "races.md",
        "litmus.md",
        "races-locks.md",
        "races-mutations.md",
        "races-proofs.md",
    ),
    "For load experiments": ("clusters.md", "checkpoints.md", "sweeps.md"),
    "Experiments of the book": ("experiments/",),
    "How to": ("python.md", "presets.md", "top.md", "report.md", "export.md"),
    "Reference": (
        "reference/commands.md",
        "reference/configuration.md",
        "reference/tracepoints.md",
        "reference/guest-calls.md",
        "guest-language.md",
        "output-format.md",
        "trace-format.md",
        "order-log.md",
        "fidelity.md",
        "catalogue.md",
    ),
    "For developers": ("architecture.md", "adding.md", "testing.md", "decisions/"),
}
#: Folders of pages that get a page with links to all of them, and its title.
LISTED: Final[dict[str, str]] = {
    "decisions": "Why things are as they are",
    "experiments": "The book's experiments",
}
#: Where a page goes that NAV does not name, so that a new page is never lost.
OTHERS: Final = "How to"

#: When a record is made. A tracepoint without a line is an error.
WHEN: Final[dict[str, str]] = {
    "sched_switch": "a CPU changes from one task to another; in `__schedule()`",
    "sched_wakeup": "a task that was woken is on a runqueue",
    "sched_waking": "a task is about to be woken, told by the waker's CPU; with `trace.waking`",
    "sched_wakeup_new": "a new task is on a runqueue for the first time",
    "sched_migrate_task": "a task goes to another CPU's runqueue",
    "sched_process_fork": "a task has been copied; in `kernel_clone()`",
    "sched_process_exec": "a task has a new program; in `exec_binprm()`",
    "sched_process_exit": "a task ends; in `do_exit()`",
    "sched_process_wait": "a task begins to wait for a child; in `do_wait()`",
    "sched_process_free": "a task_struct is given back",
    "task_newtask": "a task has been made, with the flags of `clone`",
    "task_rename": "a task's `comm` changes",
    "signal_generate": "a signal is sent",
    "signal_deliver": "a signal reaches its handler or default action",
    "page_fault_user": "a user page is faulted in, or copied on write",
    "sys_enter": "a system call begins; with `trace.syscalls`",
    "sys_exit": "a system call ends; with `trace.syscalls`",
    "mark_victim": "the OOM killer has chosen a task",
    "task_change": "a parent, group, session, policy or CPU mask changes (no tracepoint of Linux)",
    "task_args": "a program begins, with its arguments (no tracepoint of Linux)",
    "cache_refill": "a CPU's cache of free pages or pids is filled again (no tracepoint of Linux)",
}
WRITTEN: Final = "Written by `docs/make_site.py` from the code.\n\n"


# -- the reference ---------------------------------------------------------------------------------


def commands_page() -> str:
    """Return the page of the command line."""
    shown = ["# Commands\n", WRITTEN]
    for name, command in commands_of(typer.main.get_command(make_app())):
        shown.append(f"## smplab {name}\n\n{_plain(command.help or '')}\n")
        rows = [row for row in map(_parameter, command.params) if row]
        if rows:
            shown.append(
                "\n| argument or option | meaning | default |\n|---|---|---|\n" + "".join(rows)
            )
        examples = [f"$ {line}    # {what}" for line, what in lines(name)]
        shown.append("\n```\n" + "\n".join(examples) + "\n```\n\n")
    return "\n".join(shown)


def _parameter(parameter: Any) -> str:
    """Return the row of an argument or option; an empty string for what is not shown."""
    if getattr(parameter, "hidden", False) or parameter.name == "help":
        return ""
    if parameter.param_type_name == "argument":
        name = parameter.metavar or parameter.name.upper()
        return f"| `{_cell(name)}` | {_cell(parameter.help or '')} | |\n"
    names = ", ".join(f"`{one}`" for one in (*parameter.opts, *parameter.secondary_opts))
    words = f" `{_cell(parameter.metavar)}`" if parameter.metavar else ""
    default = parameter.default
    told = "" if default in (None, False, (), []) or callable(default) else f"`{default}`"
    return f"| {names}{words} | {_cell(parameter.help or '')} | {told} |\n"


def configuration_page() -> str:
    """Return the page of the configuration's keys."""
    schema = json.loads(schema_text())
    parts = {"": schema, **schema.get("$defs", {})}
    shown = ["# Configuration keys\n", WRITTEN]
    shown.append("`smplab schema` prints the JSON schema that this page is made of.\n")
    for name, part in parts.items():
        wholes = [one for one in (part, *part.get("anyOf", ())) if "properties" in one]
        if not wholes:
            continue
        [whole] = wholes
        meaning = part.get("description") or whole.get("description", "")
        shown.append(f"\n## {name or 'The file'}\n\n{_plain(meaning)}\n")
        if whole is not part:
            shown.append("\nIts name may stand alone, as text.\n")
        shown.append("\n| key | type | default | meaning |\n|---|---|---|---|\n")
        for key, value in whole["properties"].items():
            needed = key in whole.get("required", ())
            default = "needed" if needed else _default(value.get("default"))
            kind, meaning = _kind(value), " ".join(dict.fromkeys(_meanings(value)))
            shown.append(f"| `{key}` | {_cell(kind)} | {_cell(default)} | {_cell(meaning)} |\n")
    return "".join(shown)


def _default(value: Any) -> str:
    """Return a default; that of a part is what its own table says."""
    if isinstance(value, dict) and value:
        return ""
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _kind(value: dict[str, Any]) -> str:
    """Return the type of a key in words; parts of the schema are links to their headings."""
    if "$ref" in value:
        part = value["$ref"].rpartition("/")[2]
        return f"[{part}](#{part.lower()})"
    for choice in ("anyOf", "oneOf"):
        if choice in value:
            kinds = (_kind(one) for one in value[choice] if one.get("type") != "null")
            return " or ".join(dict.fromkeys(kind for kind in kinds if kind))
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{json.dumps(value['const'])}`"
    kind = value.get("type", "")
    if kind == "array":
        return f"list of {_kind(value.get('items', {})) or 'values'}"
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    least, most = value.get("minimum"), value.get("maximum")
    if least is not None and most is not None:
        words += f" from {least:,} to {most:,}"
    elif least is not None:
        words += f" from {least:,}"
    return words


def _meanings(value: dict[str, Any]) -> Iterator[str]:
    """Yield what is said of a key, and of what it may be."""
    if "description" in value:
        yield value["description"]
    for choice in ("anyOf", "oneOf"):
        for one in value.get(choice, ()):
            yield from _meanings(one)


def tracepoints_page() -> str:
    """Return the page of the tracepoints."""
    shown = ["# Tracepoints\n\n", WRITTEN, "| name | fields | when |\n|---|---|---|\n"]
    for name, fields in sorted(EVENTS.values()):
        told = ", ".join(f"`{field}`" for field in fields)
        shown.append(f"| `{name}` | {told} | {_cell(WHEN[name])} |\n")
    return "".join(shown)


def guest_calls_page() -> str:
    """Return the page of the modules of the guest language."""
    shown = ["# Guest calls\n\n", WRITTEN]
    shown.append("What a guest program may import, and what is in it; the rules are on the page\n")
    shown.append("of the [guest language](../guest-language.md).\n\n")
    for module, entries in MODULES.items():
        shown.append(f"## {module}\n\n")
        calls, others = [], []
        for name, entry in sorted(entries.items()):
            if isinstance(entry, (Sys, Pure, Routine)):
                kind = "system call" if isinstance(entry, Sys) else ""
                calls.append(f"| `{name}({_signature(entry.params)})` | {kind} |\n")
            else:
                assert isinstance(entry, (Const, Value, Made, Exc)), entry
                others.append(f"`{name}`")
        if calls:
            shown += ["| call | made of |\n|---|---|\n", *calls, "\n"]
        if others:
            shown.append(f"Constants and classes: {', '.join(others)}\n\n")
    return "".join(shown)


def _signature(parameters: Any) -> str:
    words = []
    starred = False
    for one in parameters:
        if one.keyword_only and not starred:
            words.append("*")
            starred = True
        if one.rest:
            words.append(f"*{one.name}")
            continue
        default = "…" if one.default is ... else repr(one.default)
        words.append(one.name if one.required else f"{one.name}={default}")
    return ", ".join(words)


def _plain(text: str) -> str:
    """Return a docstring as paragraphs."""
    return re.sub(r"``([^`]*)``", r"`\1`", text.replace("\b\n", "").strip())


def _cell(text: str) -> str:
    """Return a text that stays in its cell of a table."""
    return _plain(" ".join(text.split())).replace("|", "\\|").replace("<", "&lt;")


REFERENCE: Final = {
    "reference/commands.md": commands_page,
    "reference/configuration.md": configuration_page,
    "reference/tracepoints.md": tracepoints_page,
    "reference/guest-calls.md": guest_calls_page,
}


# -- the site --------------------------------------------------------------------------------------


def write_source(folder: Path) -> None:
    """Write all pages, and what they show, into an empty folder."""
    for path in sorted(DOCS.rglob("*")):
        if path.suffix in (".md", ".svg", ".png", ".ipynb") and path.is_file():
            copy = folder / path.relative_to(DOCS)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".md":
                copy.write_text(_page(path), "utf-8")
            else:
                shutil.copyfile(path, copy)
    readme = (ROOT / "README.md").read_text("utf-8")
    front = readme.replace("](docs/", "](")
    for name, title in LISTED.items():
        if (folder / name).is_dir():
            front = re.sub(rf"\]\({name}/?\)", f"]({name}/index.md)", front)
            page = folder / name / "index.md"
            page.write_text(_list_of(folder / name, title), "utf-8")
    (folder / "index.md").write_text(front, "utf-8")
    for name, make in REFERENCE.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), "utf-8")


def _page(path: Path) -> str:
    """Return a page whose links to README lead to the front page; other files are only named."""

    def inside(match: re.Match[str]) -> str:
        target = (path.parent / match[2]).resolve()
        if target == ROOT / "README.md":
            front = "../" * (len(path.relative_to(DOCS).parents) - 1) + "index.md"
            return f"[{match[1]}]({front}{match[3] or ''})"
        if target.exists() and not target.is_relative_to(DOCS):
            return f"{match[1]} (`{target.relative_to(ROOT)}`)"
        return match[0]

    return re.sub(r"\[([^\]]*)\]\((\.\./[^)#]*)(#[^)]*)?\)", inside, path.read_text("utf-8"))


def _list_of(folder: Path, title: str) -> str:
    """Return a page with links to all pages of a folder, by their titles."""
    titles = {
        path.name: path.read_text("utf-8").partition("\n")[0].lstrip("# ")
        for path in sorted(folder.glob("*.md"))
    }
    links = "".join(f"- [{shown}]({name})\n" for name, shown in titles.items())
    return f"# {title}\n\n{links}"


def navigation(folder: Path) -> list[dict[str, Any]]:
    """Return the navigation: the front page, then the sections with every page there is."""
    left = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.md"))]
    left.remove("index.md")
    sections: dict[str, list[str]] = {title: [] for title in NAV}
    for title, names in NAV.items():
        for name in names:
            found = [one for one in left if one == name or (name[-1] == "/" and name in one)]
            found.sort(key=lambda one: (not one.endswith("index.md"), one))
            sections[title] += found
            left = [one for one in left if one not in found]
    sections[OTHERS] += left
    return [
        {"smplab": "index.md"},
        *({title: found} for title, found in sections.items() if found),
    ]


def settings(source: Path, out: Path) -> dict[str, Any]:
    """Return what MkDocs is told."""
    return {
        "site_name": "smplab",
        "docs_dir": str(source),
        "site_dir": str(out),
        "use_directory_urls": False,  # links work from a folder, too
        "nav": navigation(source),
        "theme": {
            "name": "material",
            "font": False,  # fonts would come over the network
            "features": ["navigation.sections", "navigation.top", "content.code.copy"],
            "palette": [
                {
                    "media": f"(prefers-color-scheme: {scheme})",
                    "scheme": name,
                    "toggle": {"icon": icon, "name": f"To {other}"},
                }
                for scheme, name, icon, other in (
                    ("light", "default", "material/brightness-7", "dark"),
                    ("dark", "slate", "material/brightness-4", "light"),
                )
            ],
        },
        "plugins": ["search"],  # "offline" would fetch a script when a page is read
        "extra": {"generator": False},
        "markdown_extensions": [
            "admonition",
            "attr_list",
            "md_in_html",
            "sane_lists",
            "tables",
            {"toc": {"permalink": True}},
            "pymdownx.superfences",
            "pymdownx.highlight",
        ],
        "validation": {
            "nav": {"omitted_files": "warn", "not_found": "warn", "absolute_links": "warn"},
            "links": {
                "not_found": "warn",
                "anchors": "warn",
                "absolute_links": "warn",
                "unrecognized_links": "warn",
            },
        },
    }


def build(out: Path) -> int:
    """Build the site; return MkDocs' exit code."""
    with tempfile.TemporaryDirectory() as folder:
        source, made = Path(folder, "docs"), Path(folder, "site")
        source.mkdir()
        write_source(source)
        config = Path(folder, "mkdocs.yml")
        config.write_text(yaml.safe_dump(settings(source, made), sort_keys=False), "utf-8")
        words = ["build", "--strict", "--config-file", str(config)]
        quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # an advertisement, at each build
        command = [sys.executable, "-m", "mkdocs", *words]
        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, env=quiet)
        # --quiet would hide warnings from --strict, too
        told = [line for line in done.stderr.splitlines() if not line.startswith("INFO")]
        sys.stderr.writelines(f"{line}\n" for line in told if line.strip())
        if done.returncode == 0:
            shutil.rmtree(out, ignore_errors=True)
            out.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(made, out)
    return done.returncode


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description="Build the site of the documentation.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "site")
    parser.add_argument("--source", type=Path, help="only write the pages into this empty folder")
    options = parser.parse_args()
    if options.source:
        options.source.mkdir(parents=True, exist_ok=True)
        write_source(options.source)
        return 0
    code = build(options.output)
    if code == 0:
        print(options.output / "index.html")
    return code


if __name__ == "__main__":
    sys.exit(main())

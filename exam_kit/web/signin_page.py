"""The sign-in page as one self-contained HTML document."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import urlencode

from exam_kit.i18n import LANGUAGES, N_, translate
from exam_kit.store.rights import ROLE_LABELS, Role

__all__ = ["ICON", "SignInPage", "render"]

STYLE = (Path(__file__).parent / "signin.css").read_text(encoding="utf-8")

ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E"
    "%3Crect width='32' height='32' rx='7' fill='%231a5fa3'/%3E"
    "%3Cpath d='M8 17l5 5 11-12' fill='none' stroke='white' stroke-width='4'/%3E%3C/svg%3E"
)


@dataclass(frozen=True)
class SignInPage:
    """What the page shows. `title` says where this is, in two lines.

    `accounts_exist` is false where nobody can sign in yet.
    """

    language: str
    target: str
    title: tuple[str, str] | None
    login: str
    problem: str
    demo: list[dict[str, str]]
    accounts_exist: bool


def render(page: SignInPage) -> str:
    """The whole document."""

    def say(text: str) -> str:
        return escape(translate(text, page.language))

    return f"""<!DOCTYPE html>
<html lang="{page.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{say(N_("Sign in"))} · Exam Kit</title>
<link rel="icon" href="{ICON}">
<style>{STYLE}</style>
</head>
<body>
<header><strong class="brand">Exam Kit</strong><nav aria-label="{say(N_("Language"))}">{_languages(page)}</nav></header>
<main class="{"wide" if page.demo else ""}">
<section class="card">
{_heading(page)}
<h1>{say(N_("Sign in"))}</h1>
{f'<p class="problem" role="alert">{escape(page.problem)}</p>' if page.problem else ""}
{_nobody(page)}
<form method="post" action="/signin">
<input type="hidden" name="next" value="{escape(page.target)}">
<input type="hidden" name="lang" value="{page.language}">
<label for="login">{say(N_("Login"))}</label>
<input id="login" name="login" value="{escape(page.login)}" autocomplete="username" autocapitalize="none"
 spellcheck="false" maxlength="64" required {"" if page.login else "autofocus"}>
<label for="pin">{say(N_("PIN"))}</label>
<input id="pin" name="pin" type="password" inputmode="numeric" autocomplete="current-password" maxlength="64"
 required {"autofocus" if page.login else ""}>
<button type="submit">{say(N_("Sign in"))}</button>
</form>
</section>
{_demo(page)}
</main>
<footer>{say(N_("This address is served on this computer only; nothing is sent outside."))}</footer>
</body>
</html>"""


def _languages(page: SignInPage) -> str:
    links = []
    for code, name in LANGUAGES.items():
        query = escape(urlencode({"lang": code, **({"next": page.target} if page.target != "/" else {})}))
        here = ' aria-current="true"' if code == page.language else ""
        links.append(f'<a href="/signin?{query}" lang="{code}" hreflang="{code}"{here}>{name}</a>')
    return "".join(links)


def _heading(page: SignInPage) -> str:
    if page.title is None:
        return ""
    where, name = page.title
    return f'<p class="point"><b>{escape(where)}</b><br>{escape(name)}</p>'


def _nobody(page: SignInPage) -> str:
    if page.accounts_exist:
        return ""
    text = translate(N_("Nobody has an account here yet. Add one with 'exam-kit user add'."), page.language)
    return f'<p class="problem">{escape(text)}</p>'


def _demo(page: SignInPage) -> str:
    """The made-up accounts; each can be entered with one button."""
    if not page.demo:
        return ""

    def say(text: str) -> str:
        return escape(translate(text, page.language))

    rows = "".join(
        f"<tr><td>{escape(entry['name'])}<small>{say(_role(entry['role']))}</small></td>"
        f"<td><code>{escape(entry['login'])}</code></td><td><code>{escape(entry['pin'])}</code></td>"
        f'<td><form method="post" action="/signin"><input type="hidden" name="next" value="{escape(page.target)}">'
        f'<input type="hidden" name="lang" value="{page.language}">'
        f'<input type="hidden" name="login" value="{escape(entry["login"])}">'
        f'<input type="hidden" name="pin" value="{escape(entry["pin"])}">'
        f'<button class="quiet" aria-label="{say(N_("Enter"))}: {escape(entry["name"])}">{say(N_("Enter"))}</button>'
        "</form></td></tr>"
        for entry in page.demo
    )
    return f"""<section class="card demo"><h2>{say(N_("Demo point"))}</h2>
<p>{say(N_("Everything here is made up: the point, the cameras and these people."))}</p>
<table><thead><tr><th>{say(N_("Who"))}</th><th>{say(N_("Login"))}</th><th>{say(N_("PIN"))}</th><th></th></tr></thead>
<tbody>{rows}</tbody></table></section>"""


def _role(role: str) -> str:
    return ROLE_LABELS[Role(role)] if role in set(Role) else role

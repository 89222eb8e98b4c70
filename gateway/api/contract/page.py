"""The API as one static HTML page, which needs no server, no script and nothing from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

from gateway.api.contract.references import SCHEMAS

_STYLE: Final = """
body{font:15px/1.45 system-ui,sans-serif;margin:0;color:#1c2430;background:#fff}
nav{position:fixed;top:0;bottom:0;width:17rem;overflow:auto;background:#f4f6f9;padding:1rem;box-sizing:border-box}
main{margin-left:17rem;padding:1rem 2rem;max-width:62rem}
nav a{display:block;color:#1c2430;text-decoration:none;padding:.1rem 0;overflow-wrap:anywhere}
h2{border-top:1px solid #d5dbe3;padding-top:1.2rem}h3 code{font-size:1em}
table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem}
td,th{border:1px solid #d5dbe3;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
pre{background:#f4f6f9;padding:.7rem;overflow:auto}code{font:13px/1.4 ui-monospace,monospace}
.method{display:inline-block;min-width:3.2rem;font-weight:600;text-transform:uppercase}
@media(max-width:50rem){nav{position:static;width:auto}main{margin:0}}
"""
_SHOWN: Final = (
    "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems", "default"
)  # fmt: skip


def html_page(document: dict[str, Any]) -> str:
    """Operations with parameters, bodies, answers and examples, then every schema."""
    info = document["info"]
    operations = [
        (method, path, one) for path, item in document["paths"].items() for method, one in item.items() if path
    ]
    schemas: dict[str, Any] = document["components"]["schemas"]
    links = [f'<a href="#{escape(one["operationId"])}">{escape(one["operationId"])}</a>' for *_, one in operations]
    named = [f'<a href="#schema-{escape(name)}">{escape(name)}</a>' for name in schemas]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(info['title'])} {escape(info['version'])}</title><style>{_STYLE}</style></head><body>",
        f"<nav><strong>Operations</strong>{''.join(links)}<p></p><strong>Schemas</strong>{''.join(named)}</nav>",
        f"<main><h1>{escape(info['title'])} {escape(info['version'])}</h1><p>{_text(info.get('description', ''))}</p>",
        "<h2>Operations</h2>",
        *(part for method, path, one in operations for part in _operation(method, path, one)),
        "<h2>Schemas</h2>",
        *(part for name, one in schemas.items() for part in _schema(name, one)),
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    name = escape(operation["operationId"])
    yield f'<section id="{name}"><h3>{name}</h3>'
    yield f'<p><span class="method">{escape(method)}</span> <code>{escape(path)}</code></p>'
    yield f"<p>{_text(operation.get('summary', ''))}. {_text(operation.get('description', 'Needs no token.'))}</p>"
    parameters = operation.get("parameters", ())
    if parameters:
        yield _table(
            ("Parameter", "In", "Required", "Form", "Meaning"),
            (
                (_code(one["name"]), one["in"], _yes(one.get("required")), _form(one["schema"]), _meaning(one))
                for one in parameters
            ),
        )
    if "requestBody" in operation:
        yield "<h4>Body</h4>"
        for media_type, content in operation["requestBody"]["content"].items():
            yield f"<p>{_code(media_type)}: {_form(content['schema'])}</p>"
            for example in content.get("examples", {}).values():
                yield f"<pre><code>{escape(json.dumps(example['value'], indent=2, ensure_ascii=False))}</code></pre>"
    yield "<h4>Answers</h4>"
    yield _table(
        ("Status", "Meaning", "Body"),
        ((status, _text(one["description"]), _bodies(one)) for status, one in operation["responses"].items()),
    )
    yield "</section>"


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<section id="schema-{escape(name)}"><h3>{escape(name)}</h3><p>{_text(schema.get("description", ""))}</p>'
    required = schema.get("required", ())
    if "properties" in schema:
        yield _table(
            ("Member", "Required", "Form", "Meaning"),
            (
                (_code(key), _yes(key in required), _form(one), _meaning(one))
                for key, one in schema["properties"].items()
            ),
        )
        closed = schema.get("additionalProperties") is False
        yield f"<p>{'No other members.' if closed else 'Other members may come.'}</p>"
    else:
        yield f"<p>{_form(schema)}</p>"
    yield "</section>"


def _bodies(answer: dict[str, Any]) -> str:
    return "<br>".join(f"{_code(kind)}: {_form(one['schema'])}" for kind, one in answer.get("content", {}).items())


def _form(schema: dict[str, Any]) -> str:
    """What a value looks like, in one line."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = escape(reference.removeprefix(SCHEMAS))
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_form(one) for one in schema["anyOf"])
    if "items" in schema:
        found = f"list of {_form(schema['items'])}"
    elif "enum" in schema or "const" in schema:
        found = " | ".join(_code(str(one)) for one in schema.get("enum", [schema.get("const")]))
    else:
        found = escape(str(schema.get("type", "anything")))
    limits = [f"{key} {_code(str(schema[key]))}" for key in _SHOWN if schema.get(key) not in (None, "", [])]
    return ", ".join([found, *limits])


def _meaning(one: dict[str, Any]) -> str:
    told = one.get("description") or next(
        (alternative["description"] for alternative in one.get("anyOf", ()) if "description" in alternative), ""
    )
    examples = one.get("examples", ())
    return _text(told) + (f" Example: {_code(str(examples[0]))}" if examples else "")


def _table(head: tuple[str, ...], rows: Any) -> str:
    first = "".join(f"<th>{escape(one)}</th>" for one in head)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{first}</tr>{body}</table>"


def _text(text: str) -> str:
    """Prose in which `words` between backticks are code."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return escape(text)
    return "".join(_code(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _yes(value: object) -> str:
    return "yes" if value else ""

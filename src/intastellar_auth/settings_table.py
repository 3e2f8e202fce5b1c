"""The table of settings for the documentation, made from the class so that the two cannot differ.

``python -m intastellar_auth.settings_table`` prints it.
"""

from __future__ import annotations

import json
import sys

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from intastellar_auth.setting_sources import variable
from intastellar_auth.settings import Settings

# Defaults that depend on other settings, as they are on a site of its own with nothing else set.
_COMPUTED = {
    "landing_path": "`/`",
    "post_logout_path": "`/`",
    "session_idle": "`86400`",
    "cookie_name": "`__Host-intastellar`",
}


def markdown() -> str:
    """Return the table in Markdown: name, default and meaning of every setting."""
    rows = [
        f"| `{variable(name)}` | {_default(name, field)} | {field.description}{_bounds(field)} |"
        for name, field in Settings.model_fields.items()
    ]
    return "\n".join(["| name | default | meaning |", "|---|---|---|", *rows, ""])


def _bounds(field: FieldInfo) -> str:
    bounds = [
        getattr(each, name)
        for name in ("ge", "le")
        for each in field.metadata
        if hasattr(each, name)
    ]
    return f" From {bounds[0]} to {bounds[1]}." if bounds else ""


def _default(name: str, field: FieldInfo) -> str:
    if name in _COMPUTED:
        return _COMPUTED[name]
    if field.is_required():
        return "required"
    if isinstance(field.default, SecretStr):  # for what may be given; a default hides nothing
        return f"`{field.default.get_secret_value()}`"
    if field.default is None or field.default == ():
        return "none"
    if isinstance(field.default, tuple):
        return f"`{','.join(field.default)}`"
    text = field.default if isinstance(field.default, str) else json.dumps(field.default)
    return f"`{text}`"


if __name__ == "__main__":
    sys.stdout.write(markdown())

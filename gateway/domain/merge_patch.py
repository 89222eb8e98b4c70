"""JSON merge patch, RFC 7396: https://www.rfc-editor.org/rfc/rfc7396#section-2."""

from __future__ import annotations

from typing import Any


def merge_patch(target: Any, patch: Any) -> Any:
    """`target` with `patch` applied; neither is altered.

    An object is merged member by member, a member that is null in the patch is taken away, and anything else (lists
    too) replaces what was there. Both are JSON values as `json.loads` makes them.
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged

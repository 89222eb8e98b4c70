"""A pack as one zip file: the same files always give the same bytes, and other bytes are refused.

Nothing is compressed, so that no version of a compressor changes the bytes, and no small file becomes a large one.
Times and rights are constant. A reader makes the archive again of what it read and compares: a zip file says some
things twice, and two programs must not see two different packs in one file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Final
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from gateway.ledger.evidence.wrong import PackWrong

MOST_BYTES: Final = 64 * 1024 * 1024
"""Of a pack: it is made and checked in memory."""
MOST_FILES: Final = 9_000
"""Of a pack: the manifest is a signed note, which has at most a million bytes, about a hundred for each file."""
ARCHIVE: Final = "(the zip file)"
"""What is named where no single file is wrong."""

_PATH: Final = re.compile(r"[a-z0-9][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}){0,3}")
_FIRST_DAY: Final = (1980, 1, 1, 0, 0, 0)
_RIGHTS: Final = 0o644 << 16
_UNIX: Final = 3


def archive_of(files: Mapping[str, bytes]) -> bytes:
    """The zip file. Raises ValueError for a path that no pack has."""
    out = BytesIO()
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for path in sorted(files):
            if not is_path(path):
                raise ValueError(f"{path!r} is no path of a pack")
            info = ZipInfo(path, _FIRST_DAY)
            info.create_system, info.external_attr = _UNIX, _RIGHTS
            archive.writestr(info, files[path])
    return out.getvalue()


def files_of(data: bytes) -> dict[str, bytes]:
    """The files by path. Raises PackWrong, which names the first that cannot be read."""
    if len(data) > MOST_BYTES:
        raise PackWrong("archive", ARCHIVE, f"it has {len(data)} bytes, a pack has {MOST_BYTES} at most")
    try:
        with ZipFile(BytesIO(data)) as archive:
            files = _read(archive)
    # what zipfile raises for damaged headers is of all these kinds
    except (BadZipFile, NotImplementedError, OSError, ValueError, RuntimeError, EOFError) as error:
        raise PackWrong("archive", ARCHIVE, f"it cannot be read as a zip file: {error}") from error
    if archive_of(files) != data:
        raise PackWrong("archive", ARCHIVE, "it holds something beside its files, or was written by another program")
    return files


def is_path(path: str) -> bool:
    """Whether a pack may hold a file there: relative, plain, three folders deep at most."""
    return _PATH.fullmatch(path) is not None


def _read(archive: ZipFile) -> dict[str, bytes]:
    listed = archive.infolist()
    if len(listed) > MOST_FILES:
        raise PackWrong("archive", ARCHIVE, f"it has {len(listed)} files, a pack has {MOST_FILES} at most")
    files: dict[str, bytes] = {}
    for one in listed:
        if not is_path(one.filename) or one.filename in files:
            raise PackWrong("archive", ARCHIVE, f"{one.filename[:100]!r} is no path of a pack, or there twice")
        if one.compress_type != ZIP_STORED or one.file_size > MOST_BYTES:
            raise PackWrong("archive", one.filename, "a pack holds its files uncompressed")
        try:
            files[one.filename] = archive.read(one)
        except BadZipFile as error:
            raise PackWrong("archive", one.filename, str(error)) from error
    return files

"""`hf://user/name@revision`: a model of the Hugging Face hub, by a folder of this machine's cache.

Only the files of a bundle are fetched, none of which can hold code. What is in the cache is not
fetched again, and with HF_HUB_OFFLINE=1 nothing else is used; HF_ENDPOINT names another hub.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ulmfit.errors import InputError
from ulmfit.manifest import WEIGHTS

PREFIX = "hf://"
FILES = ("config.json", *WEIGHTS.values(), "tokenizer.json", "metrics.json", "README.md")
"""what a bundle may consist of; nothing else of a repository is looked at"""
_NAME = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_REVISION = re.compile(r"[\w./-]+", re.ASCII)


def local_folder(name: str | Path) -> Path:
    """The folder of a model: `name` itself, or the cached files of `hf://user/name@revision`.

    Without a revision it is the newest of the branch `main`, or the one in the cache where the
    hub cannot be reached.

    Raises:
        InputError: the name is none, or the hub knows no such model or revision.
        OSError: the hub cannot be reached and the cache does not hold it.
    """
    if not is_remote(name):
        return Path(name)
    repo, revision = parse(str(name))
    from huggingface_hub import snapshot_download

    with hub_errors(str(name)):
        return Path(snapshot_download(repo, revision=revision, allow_patterns=list(FILES)))


def is_remote(name: str | Path) -> bool:
    """Whether `name` begins with `hf://`."""
    return str(name).startswith(PREFIX)


def refuse_remote(place: str | Path) -> None:
    """Raise InputError where a folder to write is named as one of the hub."""
    if str(place).startswith(("hf:/", "hf:\\")):  # a Path has lost the second stroke
        raise InputError(
            f"{place}: a model is written to a folder of this machine; then `ulmfit push FOLDER "
            "user/name` brings it to the hub"
        )


def parse(name: str) -> tuple[str, str | None]:
    """(user/name, revision) of `hf://user/name@revision`; the prefix may be left out.

    Raises:
        InputError: it is not of that form.
    """
    repo, at, revision = name.removeprefix(PREFIX).partition("@")
    if not _NAME.fullmatch(repo) or (at and not _REVISION.fullmatch(revision)):
        raise InputError(
            f"{name!r}: expected {PREFIX}user/name, or {PREFIX}user/name@revision with a branch, "
            "a tag or a commit"
        )
    return repo, revision or None


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """What the hub's client raises inside, told in this house's words.

    Raises:
        InputError: no such model or revision, or no right to it.
        OSError: the hub cannot be reached, or failed.
    """
    from huggingface_hub import errors

    transport: type[Exception] = errors.HfHubHTTPError.__bases__[0]  # httpx's own HTTPError
    try:
        yield
    except errors.RevisionNotFoundError:
        raise InputError(f"{name}: the hub has no such revision of it") from None
    except errors.RepositoryNotFoundError:  # a gated one too
        raise InputError(
            f"{name}: the hub has no such model, or it is not open to you (`hf auth login`, or "
            "the variable HF_TOKEN, says who you are)"
        ) from None
    except errors.HFValidationError as error:
        raise InputError(f"{name}: {error}") from None
    except errors.HfHubHTTPError as error:
        if error.response.status_code in (401, 403):
            raise InputError(
                f"{name}: the hub does not let you: log in with `hf auth login`, or set HF_TOKEN, "
                "as somebody who may"
            ) from None
        raise ConnectionError(f"{name}: the hub failed ({_first_line(error)})") from None
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, transport) as error:
        raise ConnectionError(
            f"{name}: the hub cannot be reached, nor has the cache a copy ({_first_line(error)})"
        ) from None
    except InputError:
        raise
    except ValueError as error:  # of the card: the client has no type of its own for it
        raise InputError(f"{name}: the hub refuses this ({error})") from None


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)

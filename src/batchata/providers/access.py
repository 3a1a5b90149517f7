"""Keys and addresses from the environment, checked before anybody sees them: an error must not show a key."""

from __future__ import annotations

from collections.abc import Mapping

from batchata.errors import ArgumentError, MissingKeyError


def key_of(environment: Mapping[str, str], *names: str) -> str:
    """The first of these variables that is set; ``""`` if none is. Raises ``MissingKeyError`` for what is no key."""
    for name in names:
        key = environment.get(name, "").strip()
        if not key:
            continue
        if not (key.isascii() and key.isprintable()) or " " in key:
            raise MissingKeyError(
                f"{name} holds a line break, a space or another character that no key has: copy it again, alone."
            )
        return key
    return ""


def address_of(environment: Mapping[str, str], name: str) -> str | None:
    """An address, if the variable is set. Raises ``ArgumentError`` for one that cannot be asked."""
    address = environment.get(name, "").strip()
    if address and not address.startswith(("http://", "https://")):
        raise ArgumentError(
            f"{name} is {address!r}: an address begins with http:// or https://, as in http://localhost:8321/v1."
        )
    return address or None


def no_key(provider: str, name: str) -> MissingKeyError:
    """The error for a key that is not set."""
    return MissingKeyError(
        f"No key for {provider}: set {name} in the environment or in a .env file in the working directory. To try "
        f"without a key, use model='local/smollm2-135m'."
    )

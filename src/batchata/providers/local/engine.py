"""The model in this process: load it, and ask it. Nothing here knows of jobs or schemas."""

from __future__ import annotations

import json
import os
import secrets
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# OpenMP's threads spin while they wait, and take the cores from everybody else: 1.6 to 2 times slower on a
# shared machine. It reads these once, when the native library is loaded.
_QUIET_THREADS = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
_HTTP_SECONDS = 60


class EngineError(Exception):
    """The engine refused a request, and says why."""


class Canceled(Exception):  # noqa: N818  # a signal, not an error
    """The caller wants no answer any more."""


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model wrote.

    Attributes:
        text: without the stop string.
        truncated: whether it was stopped by length.
        prompt_tokens: of the whole prompt.
        cached_tokens: part of them not computed again.
        output_tokens: written.
    """

    text: str
    truncated: bool
    prompt_tokens: int
    cached_tokens: int
    output_tokens: int


class Engine:
    """A loaded model. Safe to ask from several threads; each asks in a slot of its own, which keeps its prefix."""

    def __init__(self, weights: Path, *, slots: int, context: int, threads: int) -> None:
        for name, value in _QUIET_THREADS.items():
            os.environ.setdefault(name, value)
        import xllamacpp  # noqa: PLC0415  # imported where first used

        # The server object always listens on a loopback port, open to every web page: so it gets a secret.
        self._secret = secrets.token_hex(32)
        params = xllamacpp.CommonParams()
        params.model.path = str(weights)
        params.n_parallel = slots
        params.n_ctx = slots * context
        params.cpuparams.n_threads = threads
        params.cpuparams_batch.n_threads = threads
        params.verbosity = 0
        params.port = 0
        params.api_keys = [self._secret]
        params.ui = False
        params.warmup = False
        # Without it, models with a sliding window read the whole prompt again for every value.
        params.swa_full = True
        self._server = xllamacpp.Server(params)
        self.context = context

    def trained_context(self) -> int:
        """Longest context the model was trained for, in tokens."""
        models = self._http("/v1/models")
        return int(models["data"][0]["meta"]["n_ctx_train"])

    def prompt(self, turns: list[dict[str, str]]) -> str:
        """The conversation in the model's own chat template, up to where its answer begins."""
        return str(self._http("/apply-template", {"messages": turns})["prompt"])

    def count(self, text: str) -> int:
        """Tokens of a prompt."""
        tokens = self._http("/tokenize", {"content": text, "parse_special": True})["tokens"]
        return len(tokens)

    def complete(
        self,
        prompt: str,
        *,
        slot: int,
        max_tokens: int,
        temperature: float = 0.0,
        grammar: str | None = None,
        schema: dict[str, Any] | None = None,
        stop: str | None = None,
        is_canceled: Callable[[], bool] = lambda: False,
    ) -> Completion:
        """Go on from the prompt. Raises ``EngineError`` with the engine's words, and ``Canceled``."""
        body: dict[str, Any] = {
            "prompt": prompt,
            "id_slot": slot,
            "n_predict": max_tokens,
            "temperature": temperature,
            "cache_prompt": True,
        }
        if grammar is not None:
            body["grammar"] = grammar
        if schema is not None:
            body["json_schema"] = {**schema, "x-guidance": {"whitespace_flexible": False}}
        if stop is not None:
            body["stop"] = [stop]
        return self._stream({**body, "stream": True, "stream_options": {"include_usage": True}}, is_canceled)

    def _stream(self, body: dict[str, Any], is_canceled: Callable[[], bool]) -> Completion:
        """Streamed, because only a stream can be stopped; the engine has two ways of saying no."""
        chunks: list[dict[str, Any]] = []

        def on_chunk(chunk: dict[str, Any]) -> bool:
            chunks.append(chunk)
            return is_canceled()

        try:
            refusal = self._server.handle_completions(body, on_chunk)
        except ValueError as error:
            raise EngineError(str(error)) from error
        for answer in [refusal or {}, *chunks]:
            if "error" in answer:
                raise EngineError(str(answer["error"].get("message", answer["error"])))
        if is_canceled():
            raise Canceled
        return _completion(chunks)

    def _http(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310  # the server's own loopback address
            self._server.listening_address + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._secret}", "Content-Type": "application/json"},
        )
        # Without proxies: a proxy in the environment must not be asked for a loopback address.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_HTTP_SECONDS) as response:
            return json.load(response)


def _completion(chunks: list[dict[str, Any]]) -> Completion:
    last = chunks[-1]
    return Completion(
        text="".join(chunk["choices"][0]["text"] for chunk in chunks),
        truncated=last["choices"][0]["finish_reason"] == "length",
        prompt_tokens=last["usage"]["prompt_tokens"],
        cached_tokens=last["usage"]["prompt_tokens_details"]["cached_tokens"],
        output_tokens=last["usage"]["completion_tokens"],
    )

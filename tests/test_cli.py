"""The command line as a process, and its words: exit codes, help, completion, errors in one line."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine, command_line

ROOT = Path(__file__).parent.parent
COMMANDS = (
    "run",
    "estimate",
    "status",
    "resume",
    "results",
    "retry",
    "cancel",
    "reconcile",
    "report",
    "models",
    "demo",
    "local",
)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batchata", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "100", **environment},
        timeout=120,
    )


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> CommandLine:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return command_line(monkeypatch, capsys)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("local", "fetch")])
def test_help_everywhere(cli: CommandLine, command: tuple[str, ...]) -> None:
    done = cli(*command, "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    assert "--help" in done.out


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in {"demo", "local"}])
def test_help_gives_an_example(cli: CommandLine, command: str) -> None:
    assert f"\n batchata {command}" in cli(command, "--help").out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_docs(command: str) -> None:
    assert f"`{command}" in (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", ["run", "estimate", "resume", "retry", "models", "results", "report"])
def test_every_option_is_in_the_docs(cli: CommandLine, command: str) -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    options = set(re.findall(r"(?<!\S)--[a-z][a-z-]+", cli(command, "--help").out)) - {"--help"}
    assert len(options) >= 1
    assert {option for option in options if f"`{option}" not in page} == set()


def test_version_of_a_process() -> None:
    assert run("--version").stdout == "batchata 0.1.0\n"


def test_an_unknown_command_is_exit_code_2() -> None:
    done = run("fly")
    assert done.returncode == 2
    assert "fly" in done.stderr


def test_a_wrong_option_is_a_usage_error_for_programs_too(cli: CommandLine) -> None:
    done = cli("run", "--max-tokens", "many", "--json")
    assert done.code == 2
    assert (done.json["error"]["type"], done.json["error"]["retryable"]) == ("UsageError", False)
    assert "'--max-tokens'" in done.json["error"]["message"]


def test_an_error_is_one_line_without_a_traceback(tmp_path: Path) -> None:
    done = run("demo", "--folder", str(tmp_path / "out"), BATCHATA_CACHE_DIR=str(tmp_path / "empty"))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "batchata local fetch" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_shell_completes_commands_and_runs(tmp_path: Path) -> None:
    (tmp_path / "invoices-run").mkdir()
    (tmp_path / "invoices-run" / "command.json").write_text("{}")
    entry = "import sys; from batchata.cli import main; main()"

    def completed(words: str, position: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", entry],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={
                **os.environ,
                "_BATCHATA_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(position),
            },
            timeout=60,
        )
        return done.stdout.split()

    assert completed("batchata re", 1) == ["resume", "retry", "results", "report", "reconcile"]
    assert completed("batchata status inv", 2) == ["invoices-run"]


def test_models_gives_prices_limits_and_whether_there_is_a_key(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-very-secret")
    done = cli("models", "claude-haiku-5-5", "--json")
    assert "very-secret" not in done.out + done.err
    providers = {each["provider"]: each for each in done.json["providers"]}
    assert providers["anthropic"]["is_ready"] is True
    assert providers["anthropic"]["max_requests"] == 100_000
    assert list(providers) == ["anthropic"]
    assert [(row["above"], row["input"], row["output"]) for row in done.json["models"]] == [
        (0, "0.05", "0.25"),
        (100_000, "0.25", "1.25"),
    ]


def test_models_of_a_provider_without_its_key(cli: CommandLine) -> None:
    [openai] = cli("models", "gpt-6-luna", "--json").json["providers"]
    assert openai["is_ready"] is False
    assert openai["missing"].startswith("No key for OpenAI: set OPENAI_API_KEY")
    assert openai["max_requests"] == 50_000


def test_models_knows_when_they_retire_without_a_key(cli: CommandLine) -> None:
    told = {row["model"]: row["retires_at"] for row in cli("models", "claude-", "--json").json["models"]}
    assert told["claude-sonnet-4-5"] == "2026-11-30T00:00:00Z"
    assert told["claude-opus-4-0"] == "2026-06-15T00:00:00Z"
    assert told["claude-opus-5-5"] is None
    assert re.search(r"claude-opus-4-1 .* 2026-08-05, gone", cli("models", "claude-opus-4").out)


def test_models_that_are_gone_are_listed_only_if_asked_for(cli: CommandLine) -> None:
    assert not re.search(r"^  gpt-4-turbo ", cli("models").out, re.MULTILINE)
    assert re.search(r"^  gpt-4-turbo .* 2026-10-23, gone", cli("models", "--all").out, re.MULTILINE)


def test_models_says_who_cites(cli: CommandLine) -> None:
    shown = cli("models").out
    assert re.search(r"anthropic .* the provider's", shown)
    assert re.search(r"openai .* quotes, looked up", shown)
    assert re.search(r"local .* the engine's, of fields", shown)


def test_models_prints_a_table_without_escape_codes(cli: CommandLine) -> None:
    done = cli("models")
    assert re.search(r"claude-haiku-5-5 +0\.05 +0\.25", done.out)
    assert re.search(r"claude-haiku-5-5 +0\.25 +1\.25 +prompts over 100,000 tokens", done.out)
    assert re.search(r"openai +no +50,000 +200 +24 h", done.out)
    assert "\x1b" not in done.out


def test_models_of_an_unknown_name(cli: CommandLine) -> None:
    done = cli("models", "nothing-like-it")
    assert done.code == 2
    assert "No price is known for a model whose name begins with 'nothing-like-it'" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("status",), "There is no run here. Name its folder."),
        (("status", "gone"), "There is no run 'gone'. Give its folder, its name or its run file. Runs here: none."),
        (("run", "gone.toml"), "There is no run file 'gone.toml'. Check the name."),
        (("run",), "Which model? --model NAME"),
        (("run", "-m", "gpt-6-luna"), "Give files (names, patterns, a folder), or --messages"),
        (("run", "a.txt", "-m", "gpt-6-luna"), "What is asked of every file? --prompt TEXT"),
        (("run", "a.txt", "-m", "gpt-6-luna", "-p", "x"), "There is no file or folder"),
        (("run", "*.pdf", "-m", "gpt-6-luna", "-p", "x"), "No file fits"),
        (("run", ".", "-m", "gpt-6-luna", "-p", "x"), "holds no files"),
        (("run", "--messages", "a.xlsx", "-m", "gpt-6-luna"), "Messages are read from JSONL, CSV or Parquet"),
        (("run", "--messages", "a.csv", "-m", "gpt-6-luna"), "There is no file"),
        (
            ("run", "-p", "x", "--prompt-file", "y"),
            "There is a prompt and a file with the prompt. Give one of them.",
        ),
        (("run", "--prompt-file", "y"), "which should hold the prompt. Check the path."),
        (("run", "--prices", "cheap"), "Prices are written like input=0.10,output=0.50"),
        (("run", "--max-cost", "much"), "max_cost cannot be used: Input should be a valid decimal."),
    ],
)
def test_bad_input_is_named_with_the_way_out(cli: CommandLine, words: tuple[str, ...], message: str) -> None:
    done = cli(*words)
    assert done.code == 2
    assert done.err.startswith("Error: ")
    assert message in done.err
    assert done.out == ""
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model = "x"\nfiles = docs\n', "'a.toml' is not TOML: Invalid value (at line 2, column 9)."),
        ('model = "x"\nmax_token = 5\n', "'a.toml', line 2: unknown key 'max_token'. Did you mean 'max_tokens'?"),
        ('model = "x"\nzzz = 5\n', "'a.toml', line 2: unknown key 'zzz'. Known are: model, files, messages,"),
        ('api_key = "sk-very-secret"\n', "Keys do not belong into a run file: set the provider's variable"),
        ('model = "x"\n\nmax_tokens = "sk-very-secret"\n', "'a.toml', line 3: max_tokens cannot be used:"),
        ('citation_mode = "most"\n', "line 1: citation_mode cannot be used: Input should be 'auto', 'native',"),
        ('[[examples]]\ninput = "a.txt"\n', "line 1: examples.0.output cannot be used: Field required"),
    ],
)
def test_a_wrong_run_file_is_named_with_the_line(cli: CommandLine, text: str, message: str) -> None:
    Path("a.toml").write_text(text)
    done = cli("run", "a.toml")
    assert done.code == 2
    assert message in done.err
    assert "very-secret" not in done.err


def test_a_missing_key_is_an_error_of_the_machine(cli: CommandLine) -> None:
    Path("a.txt").write_text("a")
    done = cli("run", "a.txt", "-m", "claude-haiku-5-5", "-p", "x", "--yes", "--json")
    assert done.code == 1
    assert done.json["error"]["type"] == "MissingKeyError"
    assert "ANTHROPIC_API_KEY" in done.json["error"]["message"]


def test_what_nobody_expected_is_told_without_a_traceback(cli: CommandLine) -> None:
    Path("model.py").write_text("class OddError(Exception): ...\nraise OddError('no such luck')")
    Path("a.txt").write_text("a")
    done = cli("run", "a.txt", "-m", "claude-haiku-5-5", "-p", "x", "--schema", "model.py:A", "--json")
    assert done.code == 1
    assert done.json["error"] == {
        "type": "OddError",
        "message": "OddError: no such luck (BATCHATA_TRACEBACK=1 shows where)",
        "retryable": False,
    }


def test_ctrl_c_in_any_command_is_told_to_programs_too(cli: CommandLine) -> None:
    Path("model.py").write_text("raise KeyboardInterrupt")
    Path("a.txt").write_text("a")
    done = cli("estimate", "a.txt", "-m", "claude-haiku-5-5", "-p", "x", "--schema", "model.py", "--json")
    assert done.code == 130
    assert done.json == {"error": {"type": "InterruptedRunError", "message": "Stopped.", "retryable": True}}


@pytest.mark.parametrize("arguments", [("models", "claude-haiku"), ("models", "claude-haiku", "--json")])
def test_output_that_cannot_be_written_is_one_line(arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "batchata", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 1
    assert done.stderr == "Error: No space left on device. Mend that, and try again.\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise RuntimeError('boom')", "line 1, cannot be run: RuntimeError: boom. Mend it there."),
        ("import sys\nsys.exit(3)", "line 2, cannot be run: SystemExit: 3. Mend it there."),
        ("\n1 / 0", "line 2, cannot be run: ZeroDivisionError: division by zero. Mend it there."),
        ("assert not __file__, 'no'", "line 1, cannot be run: AssertionError: no. Mend it there."),
        ("open('/nowhere/at/all')", "line 1, cannot be run: FileNotFoundError: "),
    ],
)
def test_a_file_with_the_model_that_breaks_is_wrong_usage(cli: CommandLine, source: str, words: str) -> None:
    Path("model.py").write_text(source)
    Path("a.txt").write_text("a")
    asked = ("estimate", "a.txt", "-m", "claude-haiku-5-5", "-p", "x", "--schema")
    done = cli(*asked, "model.py")
    assert done.code == 2
    assert words in done.err
    if "line 1" in words:
        Path("model_as_module.py").write_text(source)
        assert words.removeprefix("line 1, ") in cli(*asked, "model_as_module:A").err


@pytest.mark.parametrize("written", ["bytes", "folder"])
def test_a_run_file_that_cannot_be_read(cli: CommandLine, written: str) -> None:
    if written == "folder":
        Path("a.toml").mkdir()
    else:
        Path("a.toml").write_bytes(b"\xff\xfe")
    done = cli("run", "a.toml")
    assert done.code == 2
    assert (
        done.err
        == {
            "folder": "Error: The run file 'a.toml' cannot be read: Is a directory.\n",
            "bytes": "Error: The run file 'a.toml' is not UTF-8. Save it as that.\n",
        }[written]
    )

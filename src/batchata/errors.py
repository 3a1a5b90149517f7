"""The error tree: every error this library raises on purpose.

BatchataError
├── ArgumentError (ValueError)         bad arguments, found before anything is sent
│   ├── UnknownModelError              no provider claims the name, or the provider does not know it
│   ├── UnsupportedArgumentError       the chosen model cannot take this argument
│   ├── MissingKeyError                no API key
│   ├── MissingExtraError              the provider's SDK or runtime is not installed
│   ├── MissingWeightsError            the local engine has no weights
│   ├── ConversationError              a malformed conversation; says which
│   ├── SchemaError                    a response model that no provider can express
│   ├── LimitError                     over a provider's limit; says which and by how much
│   └── DocumentError                  an input file that cannot be used
│       └── DocumentNotFoundError (FileNotFoundError)
├── ProviderError                      the provider refused or could not be asked
│   └── SubmissionInDoubtError         nobody knows whether the job was created
├── JobFailedError                     the job ended without any result to read
├── ResultsError                       a results directory that cannot be read or written
├── StateError                         a run's stored state that cannot be used, or is not ours
│   └── StateLockedError               another process works on the run
└── NotReadyError (TimeoutError)       results asked for before the job's end
"""


class BatchataError(Exception):
    """Base of every error raised on purpose by this library."""


class ArgumentError(BatchataError, ValueError):
    """An argument is wrong. Nothing was sent."""


class UnknownModelError(ArgumentError):
    """No provider claims this model name, or the provider says it does not exist or is retired."""


class UnsupportedArgumentError(ArgumentError):
    """The chosen model cannot take this argument."""


class MissingKeyError(ArgumentError):
    """The provider's API key is not set."""


class MissingExtraError(ArgumentError):
    """A package that this provider, or another extra, needs is not installed."""


class MissingWeightsError(ArgumentError):
    """The local engine's weights are not on this machine."""


class ConversationError(ArgumentError):
    """A conversation in ``messages`` is malformed."""


class SchemaError(ArgumentError):
    """The response model cannot be expressed to the provider."""


class LimitError(ArgumentError):
    """The input is over one of the provider's limits."""


class DocumentError(ArgumentError):
    """An input file is unreadable, empty, encrypted, oversized or of an unsupported kind."""


class DocumentNotFoundError(DocumentError, FileNotFoundError):
    """An input file does not exist."""


class ProviderError(BatchataError):
    """The provider refused a call, or could not be asked.

    Attributes:
        provider: the provider's name, for example ``"anthropic"``.
        status_code: the HTTP status; ``None`` when no answer came.
        request_id: the provider's id for the call, to quote to its support; ``None`` if it gave none.
        retryable: whether the same call may succeed later.
        retry_after: seconds the provider asked to wait; ``None`` if it did not say.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        status_code: int | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.status_code = status_code
        self.request_id = request_id
        self.retryable = retryable
        self.retry_after = retry_after


class SubmissionInDoubtError(ProviderError):
    """A submit got no clear answer: the job may or may not exist at the provider, and may be billed."""


class JobFailedError(BatchataError):
    """The job ended at the provider without any result to read."""


class ResultsError(BatchataError):
    """A results directory, or a file in it, cannot be written, or is not one that this version can read."""


class StateError(BatchataError):
    """A run's stored state cannot be read or written, or is not one that this version can read. It stays as it was."""


class StateLockedError(StateError):
    """Another process works on this run; the message says which, since when, and what to do."""


class NotReadyError(BatchataError, TimeoutError):
    """Results were asked for, and the job did not end in time."""

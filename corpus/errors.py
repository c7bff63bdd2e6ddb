"""Every error that a user may meet.

CorpusError
├── RecipeError      the manifest is wrong: names file, field path, value, what was expected   (exit 2)
├── InputError       an input file, asset or directory is missing or unreadable                (exit 1)
├── StoreError       the store holds something it must not: two results for one identity       (exit 1)
├── LawError         a conservation law does not hold                                          (exit 1)
├── GuardError       a stage dropped more than the manifest allows                             (exit 1)
├── TaskError        a task died twice, or a stage raised on something that is not one record  (exit 1)
└── VerifyError      a finished build differs from its sealed manifest                         (exit 1)

A message names the thing, the value got, what was expected, and the command to run next.
"""


class CorpusError(Exception):
    """Base of every error that is reported to a user without a traceback."""

    exit_code = 1


class RecipeError(CorpusError):
    """The manifest cannot be used as written."""

    exit_code = 2


class InputError(CorpusError):
    """Something that the manifest names is missing or cannot be read."""


class StoreError(CorpusError):
    """The store contradicts itself."""


class LawError(CorpusError):
    """Rows or bytes went missing, or appeared from nowhere."""


class GuardError(CorpusError):
    """A stage dropped more than the manifest allows: somebody has to look, and to accept it by name."""


class TaskError(CorpusError):
    """Work failed in a way that a retry does not mend."""


class VerifyError(CorpusError):
    """A build is not what its manifest says."""

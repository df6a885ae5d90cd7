"""The one exception a person is meant to read."""


class UserError(ValueError):
    """Something the user gave cannot be used.

    The message is one sentence that says what is wrong and what to do; the command line prints it
    and exits with status 2, the app shows it and keeps the last good result.
    """

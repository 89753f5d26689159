"""The exception that means "the user can mend this": shown as a message, with no traceback."""


class UserError(Exception):
    """A mistake in a command, a config or a data file.

    The message names the value, the place it came from (the config key or the file) and what
    would be right. Entry points print it alone and exit with status 2.
    """


class ErrorExit(SystemExit):
    """Carries an error, its cause, past Hydra, which would announce it, or make it a warning."""


class TrainingDivergedError(UserError):
    """A loss, a weight or a prediction became NaN or infinite, so the run has no result."""

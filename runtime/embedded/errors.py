"""What can go wrong while the embedded servers start: each is one line that a user can act on."""


class EmbeddedError(RuntimeError):
    """The message is one clear line for the user's terminal."""


class DataDirectoryInUseError(EmbeddedError):
    """A running server holds the data directory."""

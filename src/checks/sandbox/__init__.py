"""A child process for code of others: it may hang, crash or print."""

"""A folder of submissions: its grades, and reports for people."""

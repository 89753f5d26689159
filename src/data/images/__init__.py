"""Pictures as data: their files, arrays of them, and what turns a file into numbers."""

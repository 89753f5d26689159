"""The answer for people and programs: terminal, HTML, JSON, CSV, and where the files go."""

"""What a run leaves behind: its folder on disk, its identity, and its record in MLflow."""

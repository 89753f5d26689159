"""The MLflow store: opened, written to while a run goes on and when it ends, and read."""

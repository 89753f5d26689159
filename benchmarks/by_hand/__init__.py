"""What a careful user writes without this project: plain scripts, nothing of it imported."""

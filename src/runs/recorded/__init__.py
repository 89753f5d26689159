"""What a run leaves in its folder, read back and trained again."""

"""What was said before, and how it comes to mind: windows of the training split in one file, found by their words."""

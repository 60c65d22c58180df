"""What trainer and bot agree on: settings, transcript, adapter bundle. Imports no torch, transformers or chat library."""

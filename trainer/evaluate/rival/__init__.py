"""The rival: a large model that is handed the person's messages in its prompt, on any OpenAI-compatible chat server."""

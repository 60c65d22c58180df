"""What could reach or rob a person: found in texts and replaced. The trainer scrubs the corpus, the bot its replies."""

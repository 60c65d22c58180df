"""The studio: a page on this machine for people who would rather look than read. The only home of Gradio.

It speaks through the same voice, guard and transcript as the daemon; the trainer it starts as a process.
"""

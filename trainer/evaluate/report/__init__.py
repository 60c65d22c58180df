"""What is told of an evaluation: plain figures for the seal and for report.json, and report.html for people."""

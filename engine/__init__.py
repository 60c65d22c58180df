"""What runs the model: ids in, text out. The one place that samples."""

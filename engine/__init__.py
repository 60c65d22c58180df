"""What runs the model: ids in, text out. The one place that samples."""

import logging

# "Failed to load CPU gemm_4bit_forward …" when peft loads it: nobody can act on it, in modules run alone either
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

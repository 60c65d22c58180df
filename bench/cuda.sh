#!/usr/bin/env bash
# Everything that is to be known of a CUDA card, in eight minutes at most, without a network: JSON in $OUT (cuda-figures/ by default).
# PYTHON: an interpreter with torch and transformers (2.11 and 5.17 will do). WHEELS: a folder with wheels of what it lacks
# (peft, bitsandbytes, trl, …), which are put beside it, not into it. TINY=1 cuts the shapes down, to try it on a CPU.
set -u
cd "$(dirname "$0")/.."
python=${PYTHON:-$([ -x .venv/bin/python ] && echo .venv/bin/python || echo python3)}
export OUT=${OUT:-cuda-figures} HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 TOKENIZERS_PARALLELISM=false GOMP_SPINCOUNT=1000
export PYTHONPATH=.${PYTHONPATH:+:$PYTHONPATH}
mkdir -p "$OUT"
if [ -d "${WHEELS:-}" ]; then
    "$python" -m pip install -q --no-index --no-deps --target "$OUT/.beside" "$WHEELS"/*.whl && PYTHONPATH=$PYTHONPATH:$OUT/.beside
fi
command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
timeout 480 "$python" -m bench.cuda ${TINY:+--tiny} "$@"
code=$?
rm -rf "$OUT/.beside"
exit $code

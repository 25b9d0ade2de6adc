#!/usr/bin/env bash
# The embedded language model en-mini: an hour of two idle AVX2 cores. See experiments/LOG.md.
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/en-mini}
ulmfit pretrain "$data"/wikipedia-en/articles-2015.parquet "$data"/wikipedia-en/articles-2021.parquet \
  --text title --text text --embedding 256 --hidden 512 --layers 2 --tokens 24000000 \
  --settings experiments/pretrain/en-mini.json --storage fp32 --seed 0 --out "$out"
python experiments/pretrain/publish.py "$out" en-mini --data "$data"

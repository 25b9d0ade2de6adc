#!/usr/bin/env bash
# The embedded language model en-small: en-mini grown to 320/640/2 and read on, then a backward
# model that begins with its words. Two and three hours of two idle AVX2 cores. See
# experiments/LOG.md. Stopped, `ulmfit resume runs/en-small-forward.run` (or runs/en-small.run)
# goes on. What is embedded now is the forward model alone; the backward one is not trained yet.
set -euo pipefail
data=${1:-../shared/data}
mini=${2:-runs/en-mini} # what en-mini.sh wrote (what is embedded began with en-mini's int8 rows)
out=${3:-runs/en-small}
pretrain() {
  ulmfit pretrain "$data"/wikipedia-en/articles-2015.parquet \
    "$data"/wikipedia-en/articles-2021.parquet --text title --text text --storage fp32 \
    --settings experiments/pretrain/en-small.json "$@"
}
pretrain --start "$mini" --embedding 320 --hidden 640 --tokens 30000000 --seed 1 --out "$out-forward"
pretrain --start "$out-forward" --direction backward --tokens 51000000 --seed 2 --out "$out"
python experiments/pretrain/publish.py "$out" en-small --data "$data" \
  --parts "$mini" "$out-forward" "$out"

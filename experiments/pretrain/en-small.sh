#!/usr/bin/env bash
# The embedded language model en-small: en-mini grown to 320/640/2 and read on, grown to 400/900/2
# and read on, then a backward model that begins with its words. Half an hour, an hour and an hour
# of two idle cores with AVX512-bf16; about four times as long with AVX2. See experiments/LOG.md.
# Stopped, `ulmfit resume runs/en-small-forward.run` (or another) goes on.
set -euo pipefail
data=${1:-../shared/data}
mini=${2:-runs/en-mini} # what en-mini.sh wrote (what is embedded began with its int8 rows, and grew
# the second time from int8 rows, too)
out=${3:-runs/en-small}
pretrain() {
  ulmfit pretrain "$data"/wikipedia-en/articles-2015.parquet \
    "$data"/wikipedia-en/articles-2021.parquet --text title --text text --storage fp32 \
    --settings experiments/pretrain/en-small.json "$@"
}
pretrain --start "$mini" --embedding 320 --hidden 640 --tokens 30000000 --seed 1 --out "$out-320"
pretrain --start "$out-320" --embedding 400 --hidden 900 --tokens 51000000 --seed 3 --out "$out-forward"
pretrain --start "$out-forward" --direction backward --tokens 51000000 --seed 4 --out "$out"
python experiments/pretrain/publish.py "$out" en-small --data "$data" \
  --parts "$mini" "$out-320" "$out-forward" "$out"

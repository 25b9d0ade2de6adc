#!/usr/bin/env bash
# IMDb with 1,000 labels: the language model once on the 25,000 training reviews, then three seeds.
# Stopped, it goes on from where it was. For seed 0 this is what one command does:
#   ulmfit train imdb/train.parquet --labels 1000 --epochs 8 --test imdb/test.parquet --out model
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/imdb}
made() { # made FOLDER COMMAND...: begun, gone on with, or done already
  if [ -d "$1" ]; then return; elif [ -d "$1.run" ]; then ulmfit resume "$1.run"; else "${@:2}" --out "$1"; fi
}
made "$out/lm" ulmfit finetune en-mini "$data"/imdb/train.parquet --seed 0
for seed in 0 1 2; do
  made "$out/1000-$seed" ulmfit train "$data"/imdb/train.parquet --lm "$out/lm" --no-finetune \
    --labels 1000 --epochs 8 --seed $seed --no-report
  ulmfit evaluate "$out/1000-$seed" "$data"/imdb/test.parquet --json | tail -n 1
done
python experiments/tfidf.py "$data"/imdb/train.parquet "$data"/imdb/test.parquet --labels 1000

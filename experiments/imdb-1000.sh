#!/usr/bin/env bash
# IMDb with 1,000 labels: the language model once on the 25,000 training reviews, then three seeds.
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/imdb}
[ -d "$out/lm" ] || ulmfit finetune en-mini "$data"/imdb/train.parquet --out "$out/lm" --seed 0
for seed in 0 1 2; do
  ulmfit train "$data"/imdb/train.parquet --lm "$out/lm" --no-finetune --labels 1000 --seed $seed \
    --test "$data"/imdb/test.parquet --precision bf16 --out "$out/1000-$seed" --json | tail -n 1
done
python experiments/tfidf.py "$data"/imdb/train.parquet "$data"/imdb/test.parquet --labels 1000

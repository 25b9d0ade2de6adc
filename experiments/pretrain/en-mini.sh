#!/usr/bin/env bash
# The first embedded language model, en-mini: an hour on two cores. See experiments/LOG.md.
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/en-mini}
ulmfit pretrain "$data"/wikipedia-en/articles-2015.parquet "$data"/wikipedia-en/articles-2021.parquet \
  --text title --text text --embedding 256 --hidden 640 --layers 3 \
  --tokens 10752000 --storage int8 --seed 0 --out "$out"
ulmfit perplexity "$out" "$data"/wikitext-103/wiki.test.tokens --json

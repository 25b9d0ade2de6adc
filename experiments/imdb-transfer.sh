#!/usr/bin/env bash
# IMDb with 100 and 1,000 labels: each direction and both, with the language model and without any.
# The language model is fine-tuned once on the 25,000 training reviews. Stopped, it goes on.
set -euo pipefail
data=${1:-../shared/data}
lm=${2:-en-small}
out=${3:-runs/imdb-transfer}
train=$data/imdb/train.parquet test=$data/imdb/test.parquet
if [ ! -d "$out/lm" ]; then
  if [ -d "$out/lm.run" ]; then ulmfit resume "$out/lm.run"; else
    ulmfit finetune "$lm" "$train" --seed 0 --out "$out/lm"
  fi
fi
python experiments/transfer.py "$train" "$test" --lm "$out/lm" --out "$out/with"
python experiments/transfer.py "$train" "$test" --untrained "$out/lm" --out "$out/without"
for labels in 100 1000; do python experiments/tfidf.py "$train" "$test" --labels $labels; done

#!/usr/bin/env bash
# The embedded language model en-small, grown from en-mini: two hours of two idle AVX2 cores a
# direction. See experiments/LOG.md.
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/en-small}
wikipedia=("$data"/wikipedia-en/articles-2015.parquet "$data"/wikipedia-en/articles-2021.parquet)
sizes=(--embedding 320 --hidden 640)

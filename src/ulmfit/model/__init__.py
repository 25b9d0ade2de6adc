"""Floor 1: tensors. The AWD-LSTM, its dropouts, its heads, and moving it to a new vocabulary."""

"""Floor 3: the paper, in order. Pretrain, fine-tune, classify; siblings never import each other."""

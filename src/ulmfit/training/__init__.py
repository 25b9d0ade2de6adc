"""Floor 1: schedules, layer groups, the loop and its checkpoints, for any torch model."""

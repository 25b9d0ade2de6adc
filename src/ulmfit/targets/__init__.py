"""What a classifier is asked for: kinds of task, their labels as arrays, answers, decisions."""

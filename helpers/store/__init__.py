"""What the lesson stands on and a reader need not know: places, whole files, locks, a quiet
Keras."""

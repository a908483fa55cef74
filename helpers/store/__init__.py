"""What the lesson stands on and a reader need not know: where files lie, how they are written whole, locks, a quiet Keras."""

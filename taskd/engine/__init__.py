"""What makes tasks move: the director, and the rules applied to the store."""

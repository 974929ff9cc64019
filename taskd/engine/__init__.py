"""What makes tasks move: the director, and the rules of starting and ending applied to the store."""

"""The judge: runs contracts against a receiver and says which clauses it breaks."""

"""What rule sets would have raised, and how well detection works: for people who tune it."""

"""What is suspected, why, and how much it weighs. Suspicion only: nothing here is called guilty."""

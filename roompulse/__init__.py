"""The command `roompulse`: where the parts are put together. Nothing imports this package."""

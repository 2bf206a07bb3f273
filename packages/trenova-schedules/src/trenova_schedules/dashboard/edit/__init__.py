"""The forms of a schedule: what is typed, what that means, and what others changed meanwhile."""

"""What the exercise of notebook 00 finds in the kernel."""

PREPARE = {"00-first": dict}

"""Settings become a running gateway here, and nowhere else."""

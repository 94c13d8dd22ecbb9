"""Everything Reelfarm needs to run on one machine with no server installed: `reelfarm up`."""

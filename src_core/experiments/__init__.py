"""What evaluation and downstream tasks share: records, journal, statistics, plots."""

"""What an archive of lines has to say: reading it, grouping its failures, showing them."""

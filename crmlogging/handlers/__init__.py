"""Where records leave the process: asynchronous, to a file with retention, to S3."""

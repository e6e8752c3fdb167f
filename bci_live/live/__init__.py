"""The running pipeline: threads, mailboxes, telemetry."""

"""What differs between two networks, aligned along their structure, in words."""

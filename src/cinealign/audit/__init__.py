"""The audit: checks that try to catch a result that was not come by honestly."""

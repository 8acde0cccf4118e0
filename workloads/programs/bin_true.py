"""``true``: do nothing, successfully. Arguments are ignored."""

"""Guest language: see docs/guest-language.md."""

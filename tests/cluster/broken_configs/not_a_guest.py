"""A program outside the guest language, twice over."""

import socketserver

print([].__class__)

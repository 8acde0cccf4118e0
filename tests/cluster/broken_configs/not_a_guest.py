"""A program outside the guest language, twice over."""

import socketserver

print([].__reduce__)

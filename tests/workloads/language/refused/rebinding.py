import os

list = [1]
os = 3

# expect: 4:1: 'os' is imported and cannot be rebound; use another name

import os

list = [1]
os = 3

# expect: 3:1: the builtin 'list' cannot be rebound; use another name
# expect: 4:1: 'os' is imported and cannot be rebound; use another name

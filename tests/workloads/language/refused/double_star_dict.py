a = {'x': 1}
b = {**a, 'y': 2}

# expect: 2:8: ** in a dict is not supported; call update()

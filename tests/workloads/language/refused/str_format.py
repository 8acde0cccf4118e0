print('{} of {}'.format(1, 2))

# expect: 1:7: the method 'format' is not supported; write an f-string
